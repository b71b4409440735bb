#include "guests/linux/output.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace kvmbench::guest {
namespace {

[[gnu::format(printf, 1, 2)]] std::string print(const char* format, ...) {
  char line[512];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

using Number = unsigned long long;

const char* kind(const ReasonCount& reason) {
  return reason.is_userspace() ? "userspace" : "hardware";
}

std::string number(const ReasonCount& reason, const kvmbench_interface& interface) {
  // Each as its manual writes it.
  const bool hexadecimal = !reason.is_userspace() && kvmbench_vendor(&interface) == KVMBENCH_VENDOR_SVM;
  return print(hexadecimal ? "%#x" : "%u", reason.number());
}

std::string reason_line(const ReasonCount& reason, const kvmbench_interface& interface) {
  return print("%-9s %10s  %-24s %14llu %20llu", kind(reason), number(reason, interface).c_str(),
               reason.name(kvmbench_vendor(&interface)).c_str(), static_cast<Number>(reason.count),
               static_cast<Number>(reason.cycles));
}

std::string heading(const char* further) {
  return print("%-9s %10s  %-24s %14s %20s%s\n", "kind", "number", "reason", "count", "cycles", further);
}

std::string untraced_note(const kvmbench_interface& interface) {
  if ((interface.features & KVMBENCH_FEATURE_HARDWARE) != 0) return "";
  return "(the host does not count hardware reasons; cycles are its service time)\n";
}

std::string own_note(const Sample& growth) {
  if (growth.own_exits == 0) return "";
  return print("(of these, %llu userspace exits are this reading's own)\n",
               static_cast<Number>(growth.own_exits));
}

const ReasonCount* fastest(const Sample& growth) {
  const auto at = std::ranges::max_element(growth.reasons, {}, &ReasonCount::count);
  return at != growth.reasons.end() ? &*at : nullptr;
}

std::string reasons_json(const std::vector<ReasonCount>& reasons, std::uint32_t vendor) {
  std::string text = "[";
  for (const ReasonCount& reason : reasons) {
    if (text.size() > 1) text += ",";
    text += print(R"({"kind":"%s","number":%u,"name":"%s","count":%llu,"cycles":%llu})", kind(reason),
                  reason.number(), reason.name(vendor).c_str(), static_cast<Number>(reason.count),
                  static_cast<Number>(reason.cycles));
  }
  return text + "]";
}

std::string vcpus_json(const std::vector<VcpuCount>& vcpus, std::uint32_t vendor) {
  std::string text = "[";
  for (const VcpuCount& vcpu : vcpus) {
    if (text.size() > 1) text += ",";
    text += print(R"({"vcpu":%u,"exits":%llu,"cycles":%llu,"own_exits":%llu,"reasons":)", vcpu.vcpu,
                  static_cast<Number>(vcpu.exits), static_cast<Number>(vcpu.cycles),
                  static_cast<Number>(vcpu.own_exits));
    text += reasons_json(vcpu.reasons, vendor) + "}";
  }
  return text + "]";
}

const char* vendor_name(std::uint32_t vendor) {
  switch (vendor) {
    case KVMBENCH_VENDOR_VMX:
      return "VMX";
    case KVMBENCH_VENDOR_SVM:
      return "SVM";
    default:
      return "unknown";
  }
}

std::string members(const Sample& sample, std::uint32_t vendor) {
  return print(R"("exits":%llu,"cycles":%llu,"own_exits":%llu,"vcpus":)", static_cast<Number>(sample.exits()),
               static_cast<Number>(sample.cycles()), static_cast<Number>(sample.own_exits)) +
         vcpus_json(sample.vcpus, vendor) + ",\"reasons\":" + reasons_json(sample.reasons, vendor);
}

}  // namespace

std::string total_text(const Sample& sample) {
  return print("CPUID(0x4FFFFFFF), exits=%llu, cycles spent in exit=%llu\n",
               static_cast<Number>(sample.exits()), static_cast<Number>(sample.cycles()));
}

std::string reasons_text(const Sample& sample, const kvmbench_interface& interface) {
  std::string text = heading("");
  for (const ReasonCount& reason : sample.reasons) text += reason_line(reason, interface) + "\n";
  return text + untraced_note(interface);
}

std::string watch_text(const Sample& sample, const std::optional<Sample>& growth,
                       const kvmbench_interface& interface) {
  if (!growth) return total_text(sample) + reasons_text(sample, interface);

  std::string text = print("\nafter %.2f s: exits=%llu, +%llu\n", growth->seconds,
                           static_cast<Number>(sample.exits()), static_cast<Number>(growth->exits()));
  text += heading("       increase          per s");
  const ReasonCount* const most = fastest(*growth);
  for (const ReasonCount& reason : sample.reasons) {
    const ReasonCount* grown = growth->find(reason.reason);
    const Number increase = grown != nullptr ? grown->count : 0;
    text += reason_line(reason, interface);
    text += print(" %14llu %14.1f%s\n", increase, static_cast<double>(increase) / growth->seconds,
                  grown != nullptr && grown == most ? "  <- fastest" : "");
  }
  return text + own_note(*growth);
}

std::string run_text(const Sample& growth, const kvmbench_interface& interface) {
  std::string text = print("in %.3f s: exits=%llu, cycles spent in exit=%llu\n", growth.seconds,
                           static_cast<Number>(growth.exits()), static_cast<Number>(growth.cycles()));
  return text + reasons_text(growth, interface) + own_note(growth);
}

std::string sample_json(const Sample& sample, const std::optional<Sample>& growth,
                        const kvmbench_interface& interface) {
  const std::uint32_t vendor = kvmbench_vendor(&interface);
  const auto has = [&](std::uint32_t feature) {
    return (interface.features & feature) != 0 ? "true" : "false";
  };
  std::string text = print(R"({"abi":%u,"vendor":"%s","hardware_reasons":%s,"kernel_exits":%s,"tsc_khz":%u,)",
                           KVMBENCH_ABI_VERSION, vendor_name(vendor), has(KVMBENCH_FEATURE_HARDWARE),
                           has(KVMBENCH_FEATURE_KERNEL_EXITS), interface.tsc_khz);
  text += members(sample, vendor);
  if (growth)
    text += print(R"(,"increase":{"seconds":%.6f,)", growth->seconds) + members(*growth, vendor) + "}";
  return text + "}\n";
}

}  // namespace kvmbench::guest
