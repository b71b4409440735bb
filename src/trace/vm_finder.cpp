#include "trace/vm_finder.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

namespace kvmbench::trace {
namespace {

namespace fs = std::filesystem;

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What follows `prefix` in `text`, as a number.
std::optional<std::uint32_t> numbered(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return number<std::uint32_t>(text.substr(prefix.size()));
}

void note(VmProcess& process, int fd, std::string_view what) {
  if (what == "anon_inode:kvm-vm") process.vms.push_back(fd);
  if (what == "anon_inode:kvm-vm-stats") process.vm_counters.push_back(fd);
  if (const auto id = numbered(what, "anon_inode:kvm-vcpu:")) process.vcpus.push_back({*id, fd});
  if (const auto id = numbered(what, "anon_inode:kvm-vcpu-stats:"))
    process.vcpu_counters.push_back({*id, fd});
}

std::vector<std::string> arguments_of(const fs::path& directory) {
  std::ifstream file(directory / "cmdline");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    arguments.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

/// QEMU: -name NAME, -name guest=NAME,..., in any order of its parts. A doubled comma is one of the name.
std::string qemu_name(std::string_view value) {
  std::string name;
  bool first = true;
  while (!value.empty()) {
    std::string part;
    std::size_t at = 0;
    for (; at < value.size(); ++at) {
      if (value[at] == ',' && (at + 1 == value.size() || value[at + 1] != ',')) break;
      if (value[at] == ',') ++at;
      part += value[at];
    }
    value.remove_prefix(std::min(at + 1, value.size()));
    if (part.starts_with("guest=")) return part.substr(6);
    if (first && part.find('=') == std::string::npos) name = part;
    first = false;
  }
  return name;
}

std::string name_in(const std::vector<std::string>& arguments) {
  for (std::size_t i = 1; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "-name" || arguments[i] == "--name") return qemu_name(arguments[i + 1]);
    if (arguments[i] == "--id") return arguments[i + 1];
  }
  return {};
}

bool by_id(const VmProcess::Vcpu& a, const VmProcess::Vcpu& b) {
  return a.id < b.id;
}

/// Nothing where its descriptors may not be seen.
std::optional<VmProcess> look_into(pid_t number_of, const fs::path& directory) {
  std::error_code error;
  fs::directory_iterator entry(directory / "fd", error);
  if (error) return error == std::errc::permission_denied ? std::nullopt : std::optional(VmProcess{});
  VmProcess process;
  process.process = number_of;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code gone;  // closed meanwhile
    const std::string what = fs::read_symlink(entry->path(), gone).string();
    const auto fd = number<int>(entry->path().filename().string());
    if (!gone && fd) note(process, *fd, what);
  }
  if (process.vms.empty()) return process;
  std::sort(process.vms.begin(), process.vms.end());
  std::sort(process.vm_counters.begin(), process.vm_counters.end());
  std::sort(process.vcpus.begin(), process.vcpus.end(), by_id);
  std::sort(process.vcpu_counters.begin(), process.vcpu_counters.end(), by_id);
  const std::vector<std::string> arguments = arguments_of(directory);
  if (!arguments.empty()) process.program = fs::path(arguments.front()).filename().string();
  process.name = name_in(arguments);
  return process;
}

}  // namespace

VmProcesses find_vms(const fs::path& proc) {
  VmProcesses found;
  std::error_code error;
  for (fs::directory_iterator entry(proc, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto process = number<pid_t>(entry->path().filename().string());
    if (!process) continue;
    auto seen = look_into(*process, entry->path());
    if (!seen) ++found.closed;
    if (seen && !seen->vms.empty()) found.processes.push_back(std::move(*seen));
  }
  std::sort(found.processes.begin(), found.processes.end(),
            [](const VmProcess& a, const VmProcess& b) { return a.process < b.process; });
  return found;
}

VmProcess find_vm(pid_t process, const fs::path& proc) {
  return look_into(process, proc / std::to_string(process)).value_or(VmProcess{});
}

}  // namespace kvmbench::trace
