/// SVM exit codes 0x40 to 0x5f, the exceptions by vector: AMD APM vol. 2, appendix C, table C-1; the vectors:
/// section 8.2, "Vectors". KVM (arch/x86/kvm/svm) intercepts those that it must emulate, and those that a
/// debugger asked for.
#pragma once

#include "stats/reasons/svm.hpp"

namespace kvmbench::stats::reasons {

inline constexpr std::string_view reserved_vector = "The guest raised an exception whose vector is reserved.";
inline constexpr std::string_view not_intercepted =
    "KVM leaves this exception to the guest; a nested hypervisor may ask for it.";
inline constexpr std::string_view detach_debugger =
    "Detach the debugger, or set breakpoints instead of stepping.";

inline constexpr auto svm_exceptions = std::to_array<ReasonText>({
    svm(0x40, "VMEXIT_EXCP0", "The guest raised #DE, a division error.", not_intercepted, not_by_kvm),
    svm(0x41, "VMEXIT_EXCP1", "The guest raised #DB, a debug exception.",
        "Single steps, hardware breakpoints and watchpoints: of a debugger of the guest, or in the guest. "
        "KVM intercepts "
        "all, lest an endless #DB lock the CPU up.",
        detach_debugger),
    svm(0x42, "VMEXIT_EXCP2", "The guest raised vector 2 as an exception; an NMI has a code of its own.",
        not_intercepted, not_by_kvm),
    svm(0x43, "VMEXIT_EXCP3", "The guest raised #BP by INT3.",
        "A software breakpoint while a debugger of the guest asks for it.",
        "Detach the debugger, or use hardware breakpoints."),
    svm(0x44, "VMEXIT_EXCP4", "The guest raised #OF by INTO.", not_intercepted, not_by_kvm),
    svm(0x45, "VMEXIT_EXCP5", "The guest raised #BR by BOUND.", not_intercepted, not_by_kvm),
    svm(0x46, "VMEXIT_EXCP6", "The guest raised #UD, an invalid opcode.",
        "An instruction that the CPU lacks and KVM can emulate, or one that KVM must hide; a kernel's BUG "
        "and WARN.",
        "Build the guest's programs for the CPU that they run on."),
    svm(0x47, "VMEXIT_EXCP7", "The guest raised #NM, the FPU being unavailable.",
        "Old kernels of the host that gave the FPU to the guest lazily.", "Update the host's kernel."),
    svm(0x48, "VMEXIT_EXCP8", "The guest raised #DF, a double fault.", not_intercepted, not_by_kvm),
    svm(0x49, "VMEXIT_EXCP9", "The guest raised the coprocessor-segment-overrun exception.", not_intercepted,
        not_by_kvm),
    svm(0x4a, "VMEXIT_EXCP10", "The guest raised #TS, an invalid TSS.", not_intercepted, not_by_kvm),
    svm(0x4b, "VMEXIT_EXCP11", "The guest raised #NP, a segment that is not present.", not_intercepted,
        not_by_kvm),
    svm(0x4c, "VMEXIT_EXCP12", "The guest raised #SS, a stack fault.", not_intercepted, not_by_kvm),
    svm(0x4d, "VMEXIT_EXCP13", "The guest raised #GP, a general-protection fault.",
        "Emulation of VMware's backdoor port in programs (enable_vmware_backdoor), and a work-around for a "
        "processor "
        "whose VMRUN faults wrongly.",
        "Turn the backdoor's emulation off."),
    svm(0x4e, "VMEXIT_EXCP14", "The guest raised #PF, a page fault.",
        "Without nested paging (npt=0): each fault on the guest's page tables, each first touch of a page in "
        "the shadow "
        "tables, each write to a page table, each MMIO access.",
        nested_paging_svm),
    svm(0x4f, "VMEXIT_EXCP15", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x50, "VMEXIT_EXCP16", "The guest raised #MF, an x87 error.", not_intercepted, not_by_kvm),
    svm(0x51, "VMEXIT_EXCP17", "The guest raised #AC, an alignment check.",
        "A split lock that the host detects, or a program with alignment checks; KVM intercepts it lest an "
        "endless #AC "
        "lock the CPU up.",
        "Align the data of atomic operations."),
    svm(0x52, "VMEXIT_EXCP18", "A machine check (#MC) came while the guest ran.",
        "A hardware error of the host's memory, cache or bus.",
        "Look at the host's machine-check log (rasdaemon)."),
    svm(0x53, "VMEXIT_EXCP19", "The guest raised #XF, a SIMD error.", not_intercepted, not_by_kvm),
    svm(0x54, "VMEXIT_EXCP20", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x55, "VMEXIT_EXCP21", "The guest raised #CP, a control-protection fault.", not_intercepted,
        not_by_kvm),
    svm(0x56, "VMEXIT_EXCP22", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x57, "VMEXIT_EXCP23", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x58, "VMEXIT_EXCP24", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x59, "VMEXIT_EXCP25", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x5a, "VMEXIT_EXCP26", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x5b, "VMEXIT_EXCP27", reserved_vector, not_intercepted, not_by_kvm),
    svm(0x5c, "VMEXIT_EXCP28", "The guest was given #HV, a hypervisor-injection exception.", not_intercepted,
        not_by_kvm),
    svm(0x5d, "VMEXIT_EXCP29", "The guest raised #VC, a VMM-communication exception.", not_intercepted,
        not_by_kvm),
    svm(0x5e, "VMEXIT_EXCP30", "The guest raised #SX, a security exception.", not_intercepted, not_by_kvm),
    svm(0x5f, "VMEXIT_EXCP31", reserved_vector, not_intercepted, not_by_kvm),
});

}  // namespace kvmbench::stats::reasons
