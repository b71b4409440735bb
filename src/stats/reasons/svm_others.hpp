/// SVM exit codes from 0x400 on, and the negative ones, as their low 32 bits: AMD APM vol. 2, appendix C,
/// table C-1; section 15.25, "Nested Paging", 15.29, "Advanced Virtual Interrupt Controller", 15.35,
/// "Encrypted State (SEV-ES)".
#pragma once

#include "stats/reasons/svm.hpp"

namespace kvmbench::stats::reasons {

inline constexpr auto svm_others = std::to_array<ReasonText>({
    svm(0x400, "VMEXIT_NPF",
        "The guest accessed a guest-physical address that the nested page tables do not allow.",
        "The first touch of a page of its memory, or the first write to one that is logged as clean or "
        "shared by KSM; "
        "and each access to the register of a device that is emulated in memory space.",
        "Memory: back it by huge pages, populate it before the guest starts, avoid dirty logging, ballooning "
        "and KSM. "
        "Devices: bind notification registers to an ioeventfd, batch notifications, use devices with fewer "
        "register "
        "accesses."),
    svm(0x401, "VMEXIT_AVIC_INCOMPLETE_IPI", "The guest sent an IPI that AVIC could not deliver by itself.",
        "The target vCPU is not running, or the IPI is of a kind or to a group that AVIC leaves to software.",
        "Keep the vCPUs running on CPUs of their own; send IPIs to single targets."),
    svm(0x402, "VMEXIT_AVIC_NOACCEL",
        "The guest accessed a register of its local APIC that AVIC does not accelerate.",
        "The timer's registers, LDR, and the EOI of a level-triggered interrupt.",
        "Use MSI instead of level-triggered interrupts; use the TSC deadline timer."),
    svm(0x403, "VMEXIT_VMGEXIT", "An encrypted guest (SEV-ES, SEV-SNP) asked the host for a service.",
        "What exits by itself in another guest: CPUID, MSRs, I/O, MMIO; the guest's #VC handler asks for it, "
        "and the "
        "request is in the GHCB.",
        "What lessens the exit that the request stands for."),
    svm(0xffff'fffc, "VMEXIT_INVALID_PMC", "VMRUN found the virtual PMU's state invalid (-4).",
        "A VMCB whose counters the CPU refuses.", "Update the host's kernel."),
    svm(0xffff'fffd, "VMEXIT_IDLE_REQUIRED",
        "VMRUN needs the other thread of the core to be idle, and it is not (-3).",
        "A guest with SMT protection whose core is shared.", "Keep the core's other thread idle."),
    svm(0xffff'fffe, "VMEXIT_BUSY", "VMRUN found the encrypted guest's save area in use (-2).",
        "The vCPU of an encrypted guest was entered on two CPUs, or its page is being changed.",
        "Update the host's kernel."),
    svm(0xffff'ffff, "VMEXIT_INVALID", "VMRUN found the guest's state invalid and did not enter it (-1).",
        "Registers or controls that the APM (section 15.5.1, \"Basic Operation\") does not allow: a mistake "
        "of KVM, or "
        "of a VMM that set such registers.",
        "Compare the registers that were set with the APM's list; KVM's module parameter dump_invalid_vmcb "
        "shows them."),
});

}  // namespace kvmbench::stats::reasons
