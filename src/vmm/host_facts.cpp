#include "vmm/host_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "vmm/mitigations.hpp"
#include "vmm/text_file.hpp"

namespace kvmbench {
namespace {

std::string unknown(const std::string& why) {
  return fmt::format("unknown ({})", why);
}

std::optional<std::uint64_t> parsed(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Module parameters of type bool read as Y and N, those of type int as 1 and 0.
std::optional<bool> parsed_switch(std::string_view text) {
  if (text == "Y" || text == "1") return true;
  if (text == "N" || text == "0") return false;
  return std::nullopt;
}

/// The fields of "name : value" lines, those of /proc/cpuinfo's first CPU.
using Fields = std::map<std::string, std::string, std::less<>>;
Fields fields_of(std::string_view text, char separator) {
  Fields fields;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (trimmed(line).empty()) break;
    const std::size_t middle = line.find(separator);
    if (middle == std::string_view::npos) continue;
    fields.emplace(trimmed(line.substr(0, middle)), trimmed(line.substr(middle + 1)));
  }
  return fields;
}

std::string unquoted(std::string_view text) {
  const bool quoted =
      text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

/// How many CPUs a list such as "0-3,8" names; 0 if it is none.
std::uint64_t count_of_list(std::string_view list) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string_view range = list.substr(at, end - at);
    const std::size_t dash = range.find('-');
    const std::optional<std::uint64_t> first = parsed(range.substr(0, dash));
    const std::optional<std::uint64_t> last =
        dash == std::string_view::npos ? first : parsed(range.substr(dash + 1));
    if (!first || !last || *last < *first) return 0;
    count += *last - *first + 1;
    at = end + 1;
  }
  return count;
}

class Host final {
 public:
  explicit Host(const std::filesystem::path& root) : root_(root), cpuinfo_(read(cpuinfo_path)) {
    cpu_ = fields_of(cpuinfo_.text, ':');
    const std::string& flags = cpu_["flags"];
    for (std::size_t at = 0; at < flags.size();) {
      const std::size_t end = std::min(flags.find(' ', at), flags.size());
      flags_.insert(flags.substr(at, end - at));
      at = end + 1;
    }
  }

  [[nodiscard]] bool has_flag(const char* flag) const { return flags_.count(flag) != 0; }

  [[nodiscard]] HostFacts facts() const {
    const std::string module = kvm_module();
    return {{"cpu", cpu_field("model name")},
            {"cpu id", cpu_id()},
            {"microcode", cpu_field("microcode")},
            {"cpus", cpus()},
            {"smt", smt()},
            {"memory", memory()},
            {"hypervisor", hypervisor()},
            {"kernel", whole("proc/sys/kernel/osrelease")},
            {"distribution", distribution()},
            {"kvm module", module.empty() ? no_module : module},
            {"paging", paging(module)},
            {"apic virtualisation", apic_virtualisation(module)},
            {"nested", nested(module)},
            {"halt polling", halt_polling()},
            {"mitigations", summarise_mitigations(root_ / "sys/devices/system/cpu/vulnerabilities")},
            {"tsc", tsc()},
            {"governor", governor()}};
  }

 private:
  static constexpr const char* cpuinfo_path = "proc/cpuinfo";
  static constexpr const char* no_module =
      "unknown (no kvm_* in /sys/module: not loaded, or built into the kernel)";

  [[nodiscard]] TextFile read(const std::string& path) const { return read_text(root_ / path); }
  [[nodiscard]] bool exists(const std::string& path) const {
    std::error_code ignored;
    return std::filesystem::exists(root_ / path, ignored);
  }
  static std::string cannot_read(const std::string& path, const TextFile& file) {
    return unknown(fmt::format("cannot read /{}: {}", path, file.error));
  }

  /// A file that holds one value.
  [[nodiscard]] std::string whole(const std::string& path) const {
    const TextFile file = read(path);
    if (!file.error.empty()) return cannot_read(path, file);
    return file.text.empty() ? unknown(fmt::format("/{} is empty", path)) : file.text;
  }

  [[nodiscard]] std::string cpu_field(const char* name) const {
    if (!cpuinfo_.error.empty()) return cannot_read(cpuinfo_path, cpuinfo_);
    const auto found = cpu_.find(name);
    const bool there = found != cpu_.end() && !found->second.empty();
    return there ? found->second : unknown(fmt::format("/{} has no \"{}\"", cpuinfo_path, name));
  }

  [[nodiscard]] std::string cpu_id() const {
    if (!cpuinfo_.error.empty()) return cannot_read(cpuinfo_path, cpuinfo_);
    return fmt::format("{}, family {}, model {}, stepping {}", cpu_field("vendor_id"),
                       cpu_field("cpu family"), cpu_field("model"), cpu_field("stepping"));
  }

  [[nodiscard]] std::string cpus() const {
    const std::string path = "sys/devices/system/cpu/online";
    const TextFile file = read(path);
    if (!file.error.empty()) return cannot_read(path, file);
    const std::uint64_t count = count_of_list(file.text);
    return count == 0 ? unknown(fmt::format("/{} says \"{}\"", path, file.text)) : std::to_string(count);
  }

  [[nodiscard]] std::string smt() const {
    const std::string active = whole("sys/devices/system/cpu/smt/active");
    if (active == "1") return "active";
    return active == "0" ? "not active" : active;
  }

  [[nodiscard]] std::string memory() const {
    const std::string path = "proc/meminfo";
    const TextFile file = read(path);
    if (!file.error.empty()) return cannot_read(path, file);
    const Fields fields = fields_of(file.text, ':');
    const auto total = fields.find("MemTotal");
    if (total == fields.end()) return unknown(fmt::format("/{} has no \"MemTotal\"", path));
    const std::string_view text = total->second;
    const std::optional<std::uint64_t> kib = parsed(text.substr(0, text.find(' ')));
    return kib ? fmt::format("{} MiB", *kib / 1024) : unknown(fmt::format("/{} says \"{}\"", path, text));
  }

  [[nodiscard]] std::string hypervisor() const {
    if (flags_.empty()) return cpu_field("flags");
    return has_flag("hypervisor") ? "yes: this host is itself a virtual machine" : "no";
  }

  [[nodiscard]] std::string distribution() const {
    const std::string path = "etc/os-release";
    const TextFile file = read(path);
    if (!file.error.empty()) return cannot_read(path, file);
    const Fields fields = fields_of(file.text, '=');
    const auto name = fields.find("PRETTY_NAME");
    return name == fields.end() ? unknown(fmt::format("/{} has no PRETTY_NAME", path))
                                : unquoted(name->second);
  }

  /// The module that brings the vendor's half of KVM, "" where none is to be seen.
  [[nodiscard]] std::string kvm_module() const {
    for (const char* known : {"kvm_intel", "kvm_amd"}) {
      if (exists(std::string("sys/module/") + known)) return known;
    }
    std::set<std::string> others;
    std::error_code error;
    for (std::filesystem::directory_iterator it(root_ / "sys/module", error), end; !error && it != end;
         it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.starts_with("kvm_")) others.insert(name);
    }
    return others.empty() ? "" : *others.begin();
  }

  /// What the module's switch says: `on`, `off` or why that is unknown.
  [[nodiscard]] std::string parameter(const std::string& module, const char* name, const std::string& on,
                                      const std::string& off) const {
    const std::string path = fmt::format("sys/module/{}/parameters/{}", module, name);
    const TextFile file = read(path);
    if (!file.error.empty()) return cannot_read(path, file);
    const std::optional<bool> state = parsed_switch(file.text);
    if (!state) return unknown(fmt::format("/{} says \"{}\"", path, file.text));
    return *state ? on : off;
  }

  [[nodiscard]] std::string paging(const std::string& module) const {
    if (module.empty()) return unknown("no kvm module seen");
    if (module == "kvm_intel") return parameter(module, "ept", "nested (ept)", "shadow (ept is off)");
    if (module == "kvm_amd") return parameter(module, "npt", "nested (npt)", "shadow (npt is off)");
    return fmt::format("shadow ({} has neither ept nor npt)", module);
  }

  [[nodiscard]] std::string apic_virtualisation(const std::string& module) const {
    if (module.empty()) return unknown("no kvm module seen");
    if (module == "kvm_intel") return parameter(module, "enable_apicv", "apicv", "off (enable_apicv)");
    if (module == "kvm_amd") return parameter(module, "avic", "avic", "off (avic)");
    return unknown(module + " has neither enable_apicv nor avic");
  }

  [[nodiscard]] std::string nested(const std::string& module) const {
    if (module.empty()) return unknown("no kvm module seen");
    return parameter(module, "nested", "on", "off");
  }

  [[nodiscard]] std::string halt_polling() const {
    const std::string value = whole("sys/module/kvm/parameters/halt_poll_ns");
    return parsed(value) ? value + " ns at most" : value;
  }

  [[nodiscard]] std::string tsc() const {
    const std::string clocksource = whole("sys/devices/system/clocksource/clocksource0/current_clocksource");
    const std::string rate =
        flags_.empty() ? cpu_field("flags")
                       : fmt::format("{}, {}", has_flag("constant_tsc") ? "constant" : "not constant",
                                     has_flag("nonstop_tsc") ? "nonstop" : "not nonstop");
    return fmt::format("{}; clocksource {}", rate, clocksource);
  }

  /// Of all CPUs, if they agree.
  [[nodiscard]] std::string governor() const {
    std::set<std::string> governors;
    std::error_code error;
    for (std::filesystem::directory_iterator it(root_ / "sys/devices/system/cpu", error), end;
         !error && it != end; it.increment(error)) {
      const std::filesystem::path file = it->path() / "cpufreq/scaling_governor";
      std::error_code ignored;
      if (!std::filesystem::exists(file, ignored)) continue;
      const TextFile content = read_text(file);
      governors.insert(content.error.empty() ? content.text : unknown(content.error));
    }
    if (error) return unknown("cannot list /sys/devices/system/cpu: " + error.message());
    return governors.empty() ? "not exposed" : fmt::format("{}", fmt::join(governors, ", "));
  }

  std::filesystem::path root_;
  TextFile cpuinfo_;
  Fields cpu_;
  std::set<std::string> flags_;
};

}  // namespace

HostFacts host_facts(const std::filesystem::path& root) {
  return Host(root).facts();
}

TscSupport tsc_support(const std::filesystem::path& root) {
  const Host host(root);
  return {host.has_flag("constant_tsc"), host.has_flag("nonstop_tsc")};
}

}  // namespace kvmbench
