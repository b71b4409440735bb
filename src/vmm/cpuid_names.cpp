// The names are those of Linux (/proc/cpuinfo, arch/x86/include/asm/cpufeatures.h) and of KVM's own leaf
// (Documentation/virt/kvm/x86/cpuid.rst).

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "vmm/cpuid.hpp"

namespace kvmbench {
namespace {

struct NamedBit {
  std::string_view name;
  CpuidBit bit;
};

using enum CpuidRegister;

constexpr NamedBit named_bits[] = {
    {"fpu", {1, 0, edx, 0}},
    {"tsc", {1, 0, edx, 4}},
    {"pae", {1, 0, edx, 6}},
    {"mce", {1, 0, edx, 7}},
    {"cx8", {1, 0, edx, 8}},
    {"apic", {1, 0, edx, 9}},
    {"sep", {1, 0, edx, 11}},
    {"mtrr", {1, 0, edx, 12}},
    {"pge", {1, 0, edx, 13}},
    {"mca", {1, 0, edx, 14}},
    {"cmov", {1, 0, edx, 15}},
    {"pat", {1, 0, edx, 16}},
    {"pse36", {1, 0, edx, 17}},
    {"clflush", {1, 0, edx, 19}},
    {"mmx", {1, 0, edx, 23}},
    {"fxsr", {1, 0, edx, 24}},
    {"sse", {1, 0, edx, 25}},
    {"sse2", {1, 0, edx, 26}},
    {"ht", {1, 0, edx, 28}},
    {"pni", {1, 0, ecx, 0}},
    {"pclmulqdq", {1, 0, ecx, 1}},
    {"monitor", {1, 0, ecx, 3}},
    {"vmx", {1, 0, ecx, 5}},
    {"ssse3", {1, 0, ecx, 9}},
    {"fma", {1, 0, ecx, 12}},
    {"cx16", {1, 0, ecx, 13}},
    {"pcid", {1, 0, ecx, 17}},
    {"sse4_1", {1, 0, ecx, 19}},
    {"sse4_2", {1, 0, ecx, 20}},
    {"x2apic", {1, 0, ecx, 21}},
    {"movbe", {1, 0, ecx, 22}},
    {"popcnt", {1, 0, ecx, 23}},
    {"tsc_deadline_timer", {1, 0, ecx, 24}},
    {"aes", {1, 0, ecx, 25}},
    {"xsave", {1, 0, ecx, 26}},
    {"avx", {1, 0, ecx, 28}},
    {"f16c", {1, 0, ecx, 29}},
    {"rdrand", {1, 0, ecx, 30}},
    {"hypervisor", {1, 0, ecx, 31}},
    {"arat", {6, 0, eax, 2}},
    {"fsgsbase", {7, 0, ebx, 0}},
    {"tsc_adjust", {7, 0, ebx, 1}},
    {"bmi1", {7, 0, ebx, 3}},
    {"hle", {7, 0, ebx, 4}},
    {"avx2", {7, 0, ebx, 5}},
    {"smep", {7, 0, ebx, 7}},
    {"bmi2", {7, 0, ebx, 8}},
    {"erms", {7, 0, ebx, 9}},
    {"invpcid", {7, 0, ebx, 10}},
    {"rtm", {7, 0, ebx, 11}},
    {"avx512f", {7, 0, ebx, 16}},
    {"avx512dq", {7, 0, ebx, 17}},
    {"rdseed", {7, 0, ebx, 18}},
    {"adx", {7, 0, ebx, 19}},
    {"smap", {7, 0, ebx, 20}},
    {"clflushopt", {7, 0, ebx, 23}},
    {"clwb", {7, 0, ebx, 24}},
    {"avx512cd", {7, 0, ebx, 28}},
    {"sha_ni", {7, 0, ebx, 29}},
    {"avx512bw", {7, 0, ebx, 30}},
    {"avx512vl", {7, 0, ebx, 31}},
    {"umip", {7, 0, ecx, 2}},
    {"pku", {7, 0, ecx, 3}},
    {"la57", {7, 0, ecx, 16}},
    {"rdpid", {7, 0, ecx, 22}},
    {"fsrm", {7, 0, edx, 4}},
    {"md_clear", {7, 0, edx, 10}},
    {"spec_ctrl", {7, 0, edx, 26}},
    {"intel_stibp", {7, 0, edx, 27}},
    {"arch_capabilities", {7, 0, edx, 29}},
    {"ssbd", {7, 0, edx, 31}},
    {"xsaveopt", {0xd, 1, eax, 0}},
    {"xsavec", {0xd, 1, eax, 1}},
    {"xsaves", {0xd, 1, eax, 3}},
    {"lahf_lm", {0x8000'0001, 0, ecx, 0}},
    {"cmp_legacy", {0x8000'0001, 0, ecx, 1}},
    {"svm", {0x8000'0001, 0, ecx, 2}},
    {"abm", {0x8000'0001, 0, ecx, 5}},
    {"topoext", {0x8000'0001, 0, ecx, 22}},
    {"perfctr_core", {0x8000'0001, 0, ecx, 23}},
    {"syscall", {0x8000'0001, 0, edx, 11}},
    {"nx", {0x8000'0001, 0, edx, 20}},
    {"pdpe1gb", {0x8000'0001, 0, edx, 26}},
    {"rdtscp", {0x8000'0001, 0, edx, 27}},
    {"lm", {0x8000'0001, 0, edx, 29}},
    {"nonstop_tsc", {0x8000'0007, 0, edx, 8}},
    {"clzero", {0x8000'0008, 0, ebx, 0}},
    {"amd_ibpb", {0x8000'0008, 0, ebx, 12}},
    {"amd_ssbd", {0x8000'0008, 0, ebx, 24}},
    {"kvmclock_old", {0x4000'0001, 0, eax, 0}},
    {"kvm_nop_io_delay", {0x4000'0001, 0, eax, 1}},
    {"kvmclock", {0x4000'0001, 0, eax, 3}},
    {"kvm_async_pf", {0x4000'0001, 0, eax, 4}},
    {"kvm_steal_time", {0x4000'0001, 0, eax, 5}},
    {"kvm_pv_eoi", {0x4000'0001, 0, eax, 6}},
    {"kvm_pv_unhalt", {0x4000'0001, 0, eax, 7}},
    {"kvm_pv_tlb_flush", {0x4000'0001, 0, eax, 9}},
    {"kvm_pv_ipi", {0x4000'0001, 0, eax, 11}},
    {"kvm_poll_control", {0x4000'0001, 0, eax, 12}},
    {"kvm_pv_sched_yield", {0x4000'0001, 0, eax, 13}},
    {"kvm_async_pf_int", {0x4000'0001, 0, eax, 14}},
    {"kvm_msi_ext_dest_id", {0x4000'0001, 0, eax, 15}},
    {"kvmclock_stable", {0x4000'0001, 0, eax, 24}},
};

std::optional<std::uint32_t> parse_number(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<CpuidRegister> parse_register(std::string_view text) {
  constexpr std::pair<std::string_view, CpuidRegister> names[] = {
      {"eax", eax}, {"ebx", ebx}, {"ecx", ecx}, {"edx", edx}};
  for (const auto& [name, reg] : names) {
    if (name == text) return reg;
  }
  return std::nullopt;
}

/// LEAF[.SUBLEAF]:REGISTER.BIT
std::optional<CpuidBit> parse_position(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view leaf_text = text.substr(0, colon);
  const std::string_view bit_text = text.substr(colon + 1);
  std::optional<std::uint32_t> subleaf = 0;
  if (const std::size_t dot = leaf_text.find('.'); dot != std::string_view::npos) {
    subleaf = parse_number(leaf_text.substr(dot + 1));
    leaf_text = leaf_text.substr(0, dot);
  }
  const std::size_t dot = bit_text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto leaf = parse_number(leaf_text);
  const auto reg = parse_register(bit_text.substr(0, dot));
  const auto bit = parse_number(bit_text.substr(dot + 1));
  if (!leaf || !subleaf || !reg || !bit || *bit > 31) return std::nullopt;
  return CpuidBit{*leaf, *subleaf, *reg, *bit};
}

}  // namespace

CpuidBit parse_cpuid_bit(std::string_view text) {
  for (const NamedBit& named : named_bits) {
    if (named.name == text) return named.bit;
  }
  if (const auto bit = parse_position(text)) return *bit;
  throw UsageError(
      fmt::format("--cpuid-mask '{}': not a feature known by that name; give a name as in /proc/cpuinfo "
                  "(avx2, kvmclock) or a bit as LEAF[.SUBLEAF]:REGISTER.BIT (0x7.0:ebx.5)",
                  text));
}

}  // namespace kvmbench
