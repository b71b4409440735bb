#include "vmm/cpuid.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace kvmbench {
namespace {

using Entries = std::vector<kvm_cpuid_entry2>;

std::uint32_t& register_of(kvm_cpuid_entry2& entry, CpuidRegister reg) {
  switch (reg) {
    case CpuidRegister::eax:
      return entry.eax;
    case CpuidRegister::ebx:
      return entry.ebx;
    case CpuidRegister::ecx:
      return entry.ecx;
    case CpuidRegister::edx:
      break;
  }
  return entry.edx;
}

void set_bit(std::uint32_t& value, unsigned bit, bool on) {
  value = on ? value | (1u << bit) : value & ~(1u << bit);
}

/// Bits [low, low + width) of `value` become `field`.
void set_field(std::uint32_t& value, unsigned low, unsigned width, std::uint32_t field) {
  const std::uint32_t mask = ((1u << width) - 1) << low;
  value = (value & ~mask) | ((field << low) & mask);
}

/// Bits of an APIC ID that tell the cores of the package apart.
unsigned core_id_bits(unsigned cpus) {
  return static_cast<unsigned>(std::bit_width(cpus - 1));
}

void fit_feature_leaf(kvm_cpuid_entry2& entry, unsigned id, const CpuidOptions& options) {
  const bool apic = options.irqchip != Irqchip::none;
  set_field(entry.ebx, 16, 8, std::min(1u << core_id_bits(options.cpus), 255u));  // logical processor IDs
  set_field(entry.ebx, 24, 8, std::min(id, 255u));                                // initial APIC ID
  set_bit(entry.ecx, 31, true);                                                   // hypervisor present
  set_bit(entry.ecx, 24, apic && options.tsc_deadline);
  set_bit(entry.ecx, 21, apic);              // x2APIC, which KVM's local APIC always has
  set_bit(entry.edx, 9, apic);               // APIC
  set_bit(entry.edx, 28, options.cpus > 1);  // HTT: more than one logical processor ID
}

/// Leaf 4 (Intel) and 0x8000001d (AMD): a cache below the last level belongs to one core, the last level to
/// all.
void fit_cache_leaf(kvm_cpuid_entry2& entry, const CpuidOptions& options) {
  const std::uint32_t level = (entry.eax >> 5) & 7;
  const std::uint32_t id_room = 1u << core_id_bits(options.cpus);
  set_field(entry.eax, 14, 12, level >= 3 ? std::min(id_room - 1, 0xfffu) : 0);
  if (entry.function == 4) set_field(entry.eax, 26, 6, std::min(id_room - 1, 0x3fu));
}

/// Leaves 0xb and 0x1f: one thread a core, all cores in one package.
kvm_cpuid_entry2 topology_level(std::uint32_t leaf, std::uint32_t level, unsigned id, unsigned cpus) {
  constexpr std::uint32_t thread_type = 1, core_type = 2;
  kvm_cpuid_entry2 entry{};
  entry.function = leaf;
  entry.index = level;
  entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
  if (level == 0) {
    entry.ebx = 1;
    entry.ecx = level | (thread_type << 8);
  } else if (level == 1) {
    entry.eax = core_id_bits(cpus);
    entry.ebx = cpus;
    entry.ecx = level | (core_type << 8);
  } else {
    entry.ecx = level;
  }
  entry.edx = id;
  return entry;
}

void fit_amd_leaf(kvm_cpuid_entry2& entry, unsigned id, unsigned cpus) {
  switch (entry.function) {
    case 0x8000'0001:
      set_bit(entry.ecx, 1, cpus > 1);  // CmpLegacy
      break;
    case 0x8000'0008:
      set_field(entry.ecx, 0, 8, std::min(cpus - 1, 255u));            // NC
      set_field(entry.ecx, 12, 4, std::min(core_id_bits(cpus), 15u));  // ApicIdCoreIdSize
      break;
    case 0x8000'001e:
      entry.eax = id;         // extended APIC ID
      entry.ebx = id & 0xff;  // core ID, one thread a core
      entry.ecx = 0;          // node 0 of 1
      break;
    default:
      break;
  }
}

/// KVM's paravirtual features (cpuid.rst) that need a local APIC.
void fit_kvm_features(kvm_cpuid_entry2& entry, Irqchip irqchip) {
  if (irqchip != Irqchip::none) return;
  constexpr unsigned async_pf = 4, pv_eoi = 6, pv_unhalt = 7, async_pf_vmexit = 10, pv_send_ipi = 11,
                     async_pf_int = 14, msi_ext_dest_id = 15;
  for (const unsigned bit :
       {async_pf, pv_eoi, pv_unhalt, async_pf_vmexit, pv_send_ipi, async_pf_int, msi_ext_dest_id}) {
    set_bit(entry.eax, bit, false);
  }
}

void fit(kvm_cpuid_entry2& entry, unsigned id, const CpuidOptions& options) {
  switch (entry.function) {
    case 1:
      return fit_feature_leaf(entry, id, options);
    case 4:
    case 0x8000'001d:
      return fit_cache_leaf(entry, options);
    case 0x4000'0001:
      return fit_kvm_features(entry, options.irqchip);
    default:
      return fit_amd_leaf(entry, id, options.cpus);
  }
}

}  // namespace

std::vector<kvm_cpuid_entry2> cpuid_of_vcpu(const Entries& supported, unsigned id,
                                            const CpuidOptions& options) {
  const auto is_topology = [](const kvm_cpuid_entry2& entry) {
    return entry.function == 0xb || entry.function == 0x1f;
  };
  Entries entries;
  entries.reserve(supported.size() + 4);
  for (kvm_cpuid_entry2 entry : supported) {
    if (is_topology(entry)) continue;
    fit(entry, id, options);
    for (const CpuidBit& masked : options.masked) {
      if (entry.function != masked.leaf || entry.index != masked.subleaf) continue;
      set_bit(register_of(entry, masked.reg), masked.bit, false);
    }
    entries.push_back(entry);
  }
  for (const std::uint32_t leaf : {0xbu, 0x1fu}) {
    if (std::none_of(supported.begin(), supported.end(),
                     [leaf](const kvm_cpuid_entry2& entry) { return entry.function == leaf; })) {
      continue;
    }
    for (const std::uint32_t level : {0u, 1u, 2u})
      entries.push_back(topology_level(leaf, level, id, options.cpus));
  }
  return entries;
}

}  // namespace kvmbench
