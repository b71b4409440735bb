/// What CPUID tells each vCPU: what KVM supports, made to fit this machine.
/// (Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E; Linux Documentation/virt/kvm/x86/cpuid.rst)
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "vmm/linux_kvm.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

enum class CpuidRegister : std::uint8_t { eax, ebx, ecx, edx };

/// One feature bit.
struct CpuidBit {
  std::uint32_t leaf;
  std::uint32_t subleaf;
  CpuidRegister reg;
  unsigned bit;
};

/// A feature by its name in /proc/cpuinfo ("avx2", "kvmclock"), or any bit as LEAF[.SUBLEAF]:REGISTER.BIT
/// ("0x7.0:ebx.5"). Throws UsageError for what is neither.
[[nodiscard]] CpuidBit parse_cpuid_bit(std::string_view text);

struct CpuidOptions {
  unsigned cpus = 1;
  Irqchip irqchip = Irqchip::full;
  bool tsc_deadline = true;      ///< KVM_CAP_TSC_DEADLINE_TIMER
  std::vector<CpuidBit> masked;  ///< bits to hide
};

/// The table of vCPU `id`: APIC ID and topology (one package of `cpus` cores with one thread each), the
/// hypervisor bit, and no interrupt features on a machine without local APICs.
[[nodiscard]] std::vector<kvm_cpuid_entry2> cpuid_of_vcpu(const std::vector<kvm_cpuid_entry2>& supported,
                                                          unsigned id, const CpuidOptions& options);

}  // namespace kvmbench
