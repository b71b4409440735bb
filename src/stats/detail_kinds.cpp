/// VMX basic exit reasons: Intel SDM vol. 3, appendix C; SVM exit codes: AMD APM vol. 2, appendix C.
#include "stats/detail_kinds.hpp"

#include <array>

namespace kvmbench::stats {
namespace {

using Kind = HardwareDetail::Kind;
using Kinds = std::span<const Kind>;

constexpr std::array port{Kind::port};
constexpr std::array cpuid{Kind::cpuid};
constexpr std::array hypercall{Kind::hypercall};
constexpr std::array apic{Kind::apic};
constexpr std::array mmio{Kind::mmio};
constexpr std::array msr{Kind::msr};
constexpr std::array msr_or_x2apic{Kind::msr, Kind::apic};
/// Of a page that is missing, or that is none: then an instruction is emulated, of a device's or of the
/// APIC's.
constexpr std::array memory{Kind::mmio, Kind::page_fault, Kind::apic};

Kinds of_vmx(std::uint32_t reason) noexcept {
  switch (reason) {
    case 0:   // EXCEPTION_NMI: under shadow paging, page faults
    case 48:  // EPT_VIOLATION
    case 49:  // EPT_MISCONFIG
      return memory;
    case 10:
      return cpuid;
    case 18:  // VMCALL
      return hypercall;
    case 30:  // IO_INSTRUCTION
      return port;
    case 31:  // RDMSR
    case 32:  // WRMSR
      return msr_or_x2apic;
    case 44:  // APIC_ACCESS
    case 45:  // EOI_INDUCED
    case 56:  // APIC_WRITE
      return apic;
    default:
      return {};
  }
}

Kinds of_svm(std::uint32_t code) noexcept {
  switch (code) {
    case 0x4e:   // PF: under shadow paging
    case 0x400:  // NPF
      return memory;
    case 0x72:
      return cpuid;
    case 0x7b:  // IOIO
      return port;
    case 0x7c:  // MSR
      return msr_or_x2apic;
    case 0x81:  // VMMCALL
      return hypercall;
    case 0x401:  // AVIC_INCOMPLETE_IPI
    case 0x402:  // AVIC_NOACCEL
      return apic;
    default:
      return {};
  }
}

}  // namespace

Kinds detail_kinds(Vendor vendor, std::uint32_t reason) noexcept {
  if (vendor == Vendor::vmx) return of_vmx(basic_reason(vendor, reason));
  return vendor == Vendor::svm ? of_svm(reason) : Kinds{};
}

Kinds detail_kinds_of_return(std::uint32_t reason) noexcept {
  switch (reason) {
    case 2:  // KVM_EXIT_IO
      return port;
    case 3:  // KVM_EXIT_HYPERCALL
      return hypercall;
    case 6:  // KVM_EXIT_MMIO
      return mmio;
    case 29:  // KVM_EXIT_X86_RDMSR
    case 30:  // KVM_EXIT_X86_WRMSR
      return msr;
    default:
      return {};
  }
}

}  // namespace kvmbench::stats
