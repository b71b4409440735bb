// Which hardware reasons a KVM never enables. Each rule is a fact of the manual, or one of how KVM uses a
// control, together with something read from the host.
//
// A guest that runs guests of its own (module parameter `nested`) has its intercepts merged with KVM's: what
// only KVM's own choice leaves off is certain to be off where nesting is off.
#include <algorithm>
#include <array>
#include <utility>

#include "stats/hardware_reasons.hpp"

namespace kvmbench::stats {
namespace {

using Flags = std::set<std::string, std::less<>>;

enum class Setting { unknown, off, on };

Setting setting(const KvmHost& host, std::string_view parameter) {
  const auto at = host.parameters.find(parameter);
  if (at == host.parameters.end() || at->second.empty()) return Setting::unknown;
  if (at->second == "N" || at->second == "0") return Setting::off;
  // Module parameters are bool (Y) or int; -1 leaves the choice to the module.
  const bool on = at->second == "Y" || (at->second[0] >= '1' && at->second[0] <= '9');
  return on ? Setting::on : Setting::unknown;
}

struct ParameterRule {
  std::uint32_t reason;
  std::string_view parameter;
  Setting value;       ///< with which the reason is not enabled
  bool unless_nested;  ///< a nested hypervisor could still enable it
};

void apply(const ParameterRule& rule, const KvmHost& host, ReasonSet& never) {
  if (setting(host, rule.parameter) != rule.value) return;
  if (rule.unless_nested && setting(host, "nested") != Setting::off) return;
  never.insert(rule.reason);
}

// VMX
// ---------------------------------------------------------------------------------------------------------------

// Exits out of system-management mode. They enter the SMM-transfer monitor of the dual-monitor treatment and
// never a KVM (Intel SDM vol. 3, "Dual-Monitor Treatment of SMIs and SMM").
constexpr std::array<std::uint32_t, 3> smm_reasons = {5, 6, 17};

constexpr auto vmx_parameters = std::to_array<ParameterRule>({
    {48, "ept", Setting::off, false},
    {49, "ept", Setting::off, false},
    {62, "ept", Setting::off, false},  // logs what EPT marks dirty
    {62, "pml", Setting::off, false},
    {52, "preemption_timer", Setting::off, false},
    {8, "vnmi", Setting::off, true},
    {14, "ept", Setting::on, true},  // with EPT the guest's page tables are its own affair
    {40, "ple_gap", Setting::off, true},
    {44, "flexpriority", Setting::off, true},
    {45, "enable_apicv", Setting::off, true},
    {56, "enable_apicv", Setting::off, true},
});

// "vmx flags" shows VMX controls as the CPU reports them; a reason needs one of its two.
struct VmxFlagRule {
  std::uint32_t reason;
  std::string_view needs;
  std::string_view or_needs;
  bool unless_nested = false;
};
constexpr auto vmx_flag_rules = std::to_array<VmxFlagRule>({
    {8, "vnmi", "vnmi"},
    {37, "mtf", "mtf"},
    {40, "ple", "ple", true},  // PAUSE exiting, which KVM itself does not use, would do too
    {43, "vtpr", "vtpr"},
    {44, "vapic", "vapic"},
    {45, "vid", "vid"},
    {48, "ept", "ept"},
    {49, "ept", "ept"},
    {50, "ept", "ept"},
    {52, "preemption_timer", "preemption_timer"},
    {53, "vpid", "vpid"},
    {56, "vapic_reg", "vid"},
    {62, "pml", "pml"},
    {67, "usr_wait_pause", "usr_wait_pause"},
    {68, "usr_wait_pause", "usr_wait_pause"},
    {75, "notify_vm_exiting", "notify_vm_exiting"},
});

constexpr std::uint64_t bit(unsigned number) {
  return std::uint64_t{1} << number;
}

// Intel SDM vol. 3, "VM-Execution Control Fields": a reason that only occurs while one of these controls is 1
// never does on a CPU that allows none of them to be 1. An instruction that is #UD without its enabling
// control is among them: the exception comes first.
struct ControlRule {
  std::uint32_t reason;
  std::uint64_t controls;
};
constexpr auto pin_based_rules = std::to_array<ControlRule>({
    {52, bit(6)},
});
constexpr auto processor_based_rules = std::to_array<ControlRule>({
    {7, bit(2)},
    {8, bit(22)},
    {12, bit(7)},
    {14, bit(9)},
    {15, bit(11)},
    {16, bit(12)},
    {29, bit(23)},
    {36, bit(10)},
    {37, bit(27)},
    {39, bit(29)},
    {43, bit(21)},
});
constexpr auto processor_based2_rules = std::to_array<ControlRule>({
    {44, bit(0)},  {45, bit(9)},  {46, bit(2)},  {47, bit(2)},  {48, bit(1)},          {49, bit(1)},
    {50, bit(1)},  {51, bit(3)},  {53, bit(5)},  {54, bit(6)},  {56, bit(8) | bit(9)}, {57, bit(11)},
    {58, bit(12)}, {59, bit(13)}, {60, bit(15)}, {61, bit(16)}, {62, bit(17)},         {63, bit(20)},
    {64, bit(20)}, {65, bit(27)}, {66, bit(23)}, {67, bit(26)}, {68, bit(26)},         {70, bit(28)},
    {72, bit(21)}, {73, bit(21)}, {74, bit(30)}, {75, bit(31)},
});
constexpr auto processor_based3_rules = std::to_array<ControlRule>({
    {69, bit(0)},
});

template <std::size_t n>
void apply(const std::array<ControlRule, n>& rules, std::optional<std::uint64_t> may_be_1, ReasonSet& never) {
  if (!may_be_1) return;
  for (const ControlRule& rule : rules) {
    if ((*may_be_1 & rule.controls) == 0) never.insert(rule.reason);
  }
}

/// Bits 63:32 of the 32-bit controls' MSRs say which may be 1.
std::optional<std::uint64_t> may_be_1(std::optional<std::uint64_t> msr) {
  return msr ? std::optional(*msr >> 32) : std::nullopt;
}

void apply_controls(const KvmHost::Controls& controls, ReasonSet& never) {
  apply(pin_based_rules, may_be_1(controls.pin_based), never);
  const auto processor_based = may_be_1(controls.processor_based);
  apply(processor_based_rules, processor_based, never);
  // Bits 31 and 17 activate the secondary and the tertiary controls: where they cannot be 1, those all stay
  // 0.
  const bool no_secondary = processor_based && (*processor_based & bit(31)) == 0;
  apply(processor_based2_rules,
        no_secondary ? std::optional<std::uint64_t>(0) : may_be_1(controls.processor_based2), never);
  const bool no_tertiary = processor_based && (*processor_based & bit(17)) == 0;
  apply(processor_based3_rules, no_tertiary ? std::optional<std::uint64_t>(0) : controls.processor_based3,
        never);
}

void apply_vmx_flags(const KvmHost& host, ReasonSet& never) {
  if (!host.vmx_flags) return;
  for (const VmxFlagRule& rule : vmx_flag_rules) {
    if (host.vmx_flags->contains(rule.needs) || host.vmx_flags->contains(rule.or_needs)) continue;
    if (rule.unless_nested && setting(host, "nested") != Setting::off) continue;
    never.insert(rule.reason);
  }
}

ReasonSet never_enabled_vmx(const KvmHost& host) {
  ReasonSet never;
  for (const std::uint32_t reason : smm_reasons) never.insert(reason);
  for (const ParameterRule& rule : vmx_parameters) apply(rule, host, never);
  apply_vmx_flags(host, never);
  apply_controls(host.controls, never);
  return never;
}

// SVM
// ---------------------------------------------------------------------------------------------------------------

constexpr std::uint32_t svm_npf = 0x400;
constexpr std::uint32_t svm_efer_write_trap = 0x8f;
constexpr std::uint32_t svm_cr15_write_trap = 0x9f;

constexpr auto svm_parameters = std::to_array<ParameterRule>({
    {svm_npf, "npt", Setting::off, false},
    {0x03, "npt", Setting::on, true},  // with nested paging the guest's page tables are its own affair: CR3,
    {0x13, "npt", Setting::on, true},
    {0x4e, "npt", Setting::on, true},  // #PF,
    {0x79, "npt", Setting::on, true},  // and INVLPG
    {0x401, "avic", Setting::off, false},
    {0x402, "avic", Setting::off, false},
    {0x403, "sev_es", Setting::off, false},  // VMGEXIT is an instruction of encrypted guests
    {0x77, "pause_filter_count", Setting::off, true},
});

ReasonSet never_enabled_svm(const KvmHost& host) {
  ReasonSet never;
  for (const ParameterRule& rule : svm_parameters) apply(rule, host, never);
  // KVM sets these traps for encrypted guests alone.
  for (std::uint32_t trap = svm_efer_write_trap; trap <= svm_cr15_write_trap; ++trap) {
    apply({trap, "sev_es", Setting::off, true}, host, never);
  }
  // KVM decides by the same flags as /proc/cpuinfo shows.
  if (host.cpu_flags && !host.cpu_flags->contains("npt")) never.insert(svm_npf);
  if (host.cpu_flags && !host.cpu_flags->contains("avic")) {
    never.insert(0x401);
    never.insert(0x402);
  }
  return never;
}

// /proc/cpuinfo
// -----------------------------------------------------------------------------------------------------

Flags words(std::string_view text) {
  Flags found;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    if (end > 0) found.emplace(text.substr(0, end));
    text.remove_prefix(end);
  }
  return found;
}

/// "name<blanks>: value" as {name, value}.
std::pair<std::string_view, std::string_view> split(std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  std::string_view name = line.substr(0, colon);
  name = name.substr(0, name.find_last_not_of(" \t") + 1);
  return {name, line.substr(std::min(colon + 1, line.size()))};
}

}  // namespace

KvmHost parse_cpuinfo(std::string_view text) {
  KvmHost host;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto [name, value] = split(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name == "flags" && !host.cpu_flags) host.cpu_flags = words(value);
    if (name == "vmx flags" && !host.vmx_flags) host.vmx_flags = words(value);
  }
  if (host.cpu_flags && host.cpu_flags->contains("vmx")) host.vendor = Vendor::vmx;
  if (host.cpu_flags && host.cpu_flags->contains("svm")) host.vendor = Vendor::svm;
  return host;
}

ReasonSet never_enabled(const KvmHost& host) {
  switch (host.vendor) {
    case Vendor::vmx:
      return never_enabled_vmx(host);
    case Vendor::svm:
      return never_enabled_svm(host);
    case Vendor::unknown:
      break;
  }
  return {};
}

}  // namespace kvmbench::stats
