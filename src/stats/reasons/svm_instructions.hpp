/// SVM exit codes 0x60 to 0x8e and 0xa0 to 0xa6, events and instructions: AMD APM vol. 2, appendix C, table
/// C-1; what intercepts each: sections "Instruction Intercepts", "Interrupt Intercepts" and "Miscellaneous
/// Intercepts".
#pragma once

#include "stats/reasons/svm.hpp"

namespace kvmbench::stats::reasons {

inline constexpr std::string_view reads_table =
    "The guest read a descriptor-table register that is intercepted.";
inline constexpr std::string_view writes_table =
    "The guest wrote a descriptor-table register that is intercepted.";
inline constexpr std::string_view emulated_umip =
    "Emulation of UMIP on a processor without it: SGDT, SIDT, SLDT and STR of programs; or a nested "
    "hypervisor.";
inline constexpr std::string_view no_umip = "Do not offer UMIP where the processor lacks it.";
inline constexpr std::string_view let_it_execute = "Have the nested hypervisor let its guest execute it.";
inline constexpr std::string_view nested_svm_entry_remedy =
    "Run the inner guest on the host itself; else virtual VMLOAD, VMSAVE and GIF (vls, vgif) save some of "
    "these exits.";

inline constexpr auto svm_instructions = std::to_array<ReasonText>({
    svm(0x60, "VMEXIT_INTR", "An interrupt for the host came while the guest ran; the guest is not told.",
        "The host's timer tick, its devices, and IPIs from other host CPUs: reschedules, kicks of this vCPU, "
        "TLB "
        "shootdowns.",
        "Give the vCPU a host CPU of its own (isolcpus, nohz_full), route the host's device interrupts "
        "elsewhere, and "
        "use AVIC (avic=1), so that interrupts for the guest kick no vCPU."),
    svm(0x61, "VMEXIT_NMI", "An NMI for the host came while the guest ran.",
        "The host's perf events or its NMI watchdog.",
        "End profiling of the host; turn its NMI watchdog off."),
    svm(0x62, "VMEXIT_SMI", "An SMI for the host came while the guest ran.",
        "The host's firmware: USB emulation, power and error management.", host_event),
    svm(0x63, "VMEXIT_INIT", "An INIT came to the host's CPU while the guest ran.",
        "The host's CPU is being reset or taken off line; a guest's own INIT IPIs are emulated by KVM and "
        "are not this.",
        host_event),
    svm(0x64, "VMEXIT_VINTR", "The guest became able to take an interrupt that waits for it.",
        "KVM had an interrupt to inject while the guest had RFLAGS.IF clear, or was in the shadow of STI or "
        "MOV SS.",
        "Use AVIC (avic=1), by which the hardware delivers the interrupt at the right moment."),
    svm(0x65, "VMEXIT_CR0_SEL_WRITE", "The guest wrote CR0 and changed bits other than TS and MP.",
        "A change of the CPU's mode or caching: at boot, and where the guest sets MTRRs.",
        "Nothing to lessen: such changes are few."),
    svm(0x66, "VMEXIT_IDTR_READ", reads_table, emulated_umip, no_umip),
    svm(0x67, "VMEXIT_GDTR_READ", reads_table, emulated_umip, no_umip),
    svm(0x68, "VMEXIT_LDTR_READ", reads_table, emulated_umip, no_umip),
    svm(0x69, "VMEXIT_TR_READ", reads_table, emulated_umip, no_umip),
    svm(0x6a, "VMEXIT_IDTR_WRITE", writes_table, only_for_nested, let_it_execute),
    svm(0x6b, "VMEXIT_GDTR_WRITE", writes_table, only_for_nested, let_it_execute),
    svm(0x6c, "VMEXIT_LDTR_WRITE", writes_table, only_for_nested, let_it_execute),
    svm(0x6d, "VMEXIT_TR_WRITE", writes_table, only_for_nested, let_it_execute),
    svm(0x6e, "VMEXIT_RDTSC", "The guest read the TSC while that is intercepted.", only_for_nested,
        "Have the nested hypervisor use the TSC's offset and ratio."),
    svm(0x6f, "VMEXIT_RDPMC", "The guest read a performance counter by RDPMC.",
        "A profiler in the guest, such as perf, that reads counters directly; KVM emulates the counter.",
        "Read counters less often, or by a PMU that is passed through where the host's kernel can."),
    svm(0x70, "VMEXIT_PUSHF", "The guest pushed RFLAGS.", only_for_nested, let_it_execute),
    svm(0x71, "VMEXIT_POPF", "The guest popped RFLAGS.", only_for_nested, let_it_execute),
    svm(0x72, "VMEXIT_CPUID", "The guest executed CPUID, which KVM intercepts.",
        "Detection of features at boot and at the start of programs and libraries; CPUID used to serialize, "
        "as around "
        "RDTSC; alternatives patched by a kernel.",
        "Cache what CPUID says; serialize by LFENCE, RDTSCP, SERIALIZE or IRET to self."),
    svm(0x73, "VMEXIT_RSM", "The guest executed RSM.",
        "Firmware in the guest that uses system-management mode, as OVMF does.",
        "Nothing to lessen: it is seldom after boot."),
    svm(0x74, "VMEXIT_IRET", "The guest executed IRET while KVM waits for it.",
        "The guest handles an NMI, and another is to follow: performance events or the watchdog of the "
        "guest.",
        "Use a processor with virtual NMIs (vnmi), and fewer NMIs in the guest."),
    svm(0x75, "VMEXIT_SWINT", "The guest executed INTn.", only_for_nested, let_it_execute),
    svm(0x76, "VMEXIT_INVD", "The guest executed INVD.",
        "Firmware that runs with the cache as RAM; KVM skips the instruction.", firmware_only),
    svm(0x77, "VMEXIT_PAUSE", "The guest executed PAUSE more often than the filter allows.",
        "A vCPU that waits for a lock whose holder is not running: more vCPUs than host CPUs.",
        "Give each vCPU a host CPU; use paravirtual spinlocks; raise pause_filter_count, or set it to 0 "
        "where CPUs are "
        "not shared."),
    svm(0x78, "VMEXIT_HLT", "The guest halted its CPU.",
        "The idle loop of the guest's kernel. The time of such an exit is the guest's idleness, not a cost; "
        "what costs "
        "is to wake up.",
        "Halt less often for short waits: the guest's haltpoll governor, idle=poll, or longer halt_poll_ns "
        "on the host; "
        "on a host CPU of its own, let it halt without an exit (KVM_CAP_X86_DISABLE_EXITS)."),
    svm(0x79, "VMEXIT_INVLPG", "The guest executed INVLPG while KVM intercepts it.",
        "The guest's kernel unmapped or changed a page where paging is not nested (npt=0).",
        nested_paging_svm),
    svm(0x7a, "VMEXIT_INVLPGA", nested_svm, "A hypervisor in the guest flushes an address of its own guest.",
        "Run the inner guest on the host itself."),
    svm(0x7b, "VMEXIT_IOIO", "The guest executed IN, OUT, INS or OUTS.",
        "An access to an emulated device's port: a UART, PCI configuration, IDE, the ACPI timer, the "
        "doorbell of legacy "
        "virtio.",
        "Use paravirtual devices with their registers in memory space, output by REP OUTS, an ioeventfd on "
        "hot ports, "
        "and no timer that is read by a port."),
    svm(0x7c, "VMEXIT_MSR", "The guest read or wrote a model-specific register that KVM intercepts.",
        "A timer that is armed (IA32_TSC_DEADLINE, or the x2APIC's initial count); the ICR and the EOI of an "
        "x2APIC; "
        "performance counters, power management.",
        "Fewer timers and wake-ups in the guest (nohz, longer slack), AVIC with x2APIC, less profiling in "
        "the guest."),
    svm(0x7d, "VMEXIT_TASK_SWITCH", "The guest began a task switch, which KVM emulates.",
        "A far CALL or JMP to a TSS or a task gate, or IRET with NT set; 32-bit kernels handle a double "
        "fault by a task "
        "gate.",
        "Nothing in a 64-bit guest, which has no task switches; else avoid task gates."),
    svm(0x7e, "VMEXIT_FERR_FREEZE", "The FPU froze because of an x87 error that waits for IRQ 13.",
        "Programs for DOS that handle x87 errors by an interrupt (CR0.NE clear).",
        "Nothing in a guest of today: kernels set CR0.NE."),
    svm(0x7f, "VMEXIT_SHUTDOWN", "The guest's CPU would shut down: a triple fault.",
        "A crash before the guest's exception handlers work, or a reboot by triple fault, as a kernel's last "
        "resort.",
        once),
    svm(0x80, "VMEXIT_VMRUN", nested_svm,
        "A hypervisor in the guest enters its own guest: once for each exit of the inner guest that it "
        "handles.",
        "Run the inner guest on the host itself; else lessen the inner guest's exits, each of which costs "
        "several here."),
    svm(0x81, "VMEXIT_VMMCALL", "The guest executed VMMCALL: a hypercall.",
        "A paravirtual kernel: KVM_HC_KICK_CPU for spinlocks, KVM_HC_SEND_IPI, KVM_HC_SCHED_YIELD, Hyper-V's "
        "enlightenments.",
        "Give each vCPU a host CPU, and tell the guest so (KVM_HINTS_REALTIME), so that it needs no "
        "paravirtual locks; "
        "several requests in one hypercall."),
    svm(0x82, "VMEXIT_VMLOAD", nested_svm,
        "A hypervisor in the guest loads its own guest's hidden registers.", nested_svm_entry_remedy),
    svm(0x83, "VMEXIT_VMSAVE", nested_svm,
        "A hypervisor in the guest saves its own guest's hidden registers.", nested_svm_entry_remedy),
    svm(0x84, "VMEXIT_STGI", nested_svm, "A hypervisor in the guest ends a switch to or from its own guest.",
        nested_svm_entry_remedy),
    svm(0x85, "VMEXIT_CLGI", nested_svm,
        "A hypervisor in the guest begins a switch to or from its own guest.", nested_svm_entry_remedy),
    svm(0x86, "VMEXIT_SKINIT", nested_svm, "A measured launch attempted in a guest; KVM does not offer it.",
        not_offered),
    svm(0x87, "VMEXIT_RDTSCP", "The guest executed RDTSCP while that is intercepted.",
        "KVM intercepts it where it must hide it; else a nested hypervisor asks so.",
        "Have the nested hypervisor use the TSC's offset and ratio."),
    svm(0x88, "VMEXIT_ICEBP", "The guest executed INT1 (ICEBP).", only_for_nested, let_it_execute),
    svm(0x89, "VMEXIT_WBINVD", "The guest wrote back all caches, by WBINVD or WBNOINVD.",
        "Graphics drivers, changes of memory types (MTRR) and suspend in the guest. KVM does it only where a "
        "passed-through device can bypass the cache.",
        "Let drivers flush lines (CLFLUSHOPT) instead of everything."),
    svm(0x8a, "VMEXIT_MONITOR", "The guest executed MONITOR or MONITORX while KVM intercepts it.",
        "A guest that idles by MONITOR and MWAIT although CPUID does not offer them; KVM treats it as NOP.",
        "Offer MWAIT on a host CPU of the vCPU's own (KVM_CAP_X86_DISABLE_EXITS), or have the guest idle by "
        "HLT."),
    svm(0x8b, "VMEXIT_MWAIT", "The guest executed MWAIT or MWAITX while KVM intercepts it.",
        "A guest that idles by MWAIT although CPUID does not offer it (macOS); KVM treats it as NOP.",
        "Offer MWAIT on a host CPU of the vCPU's own (KVM_CAP_X86_DISABLE_EXITS), or have the guest idle by "
        "HLT."),
    svm(0x8c, "VMEXIT_MWAIT_CONDITIONAL", "The guest executed MWAIT or MWAITX with the monitor armed.",
        only_for_nested, let_it_execute),
    svm(0x8d, "VMEXIT_XSETBV", "The guest executed XSETBV.",
        "A kernel that enables extended states, once a CPU at boot; a program or library does not.", once),
    svm(0x8e, "VMEXIT_RDPRU", "The guest executed RDPRU.",
        "Programs that read APERF or MPERF; KVM does not offer it and raises #UD.", not_offered),
});

inline constexpr auto svm_later_instructions = std::to_array<ReasonText>({
    svm(0xa0, "VMEXIT_INVLPGB", "The guest executed INVLPGB, which flushes TLBs of other CPUs.",
        "A kernel's TLB shootdown by broadcast; KVM does not offer the instruction.", not_offered),
    svm(0xa1, "VMEXIT_INVLPGB_ILLEGAL", "The guest executed INVLPGB with operands that it may not use.",
        "A kernel's TLB shootdown by broadcast; KVM does not offer the instruction.", not_offered),
    svm(0xa2, "VMEXIT_INVPCID", "The guest executed INVPCID while KVM intercepts it.",
        "The guest's kernel flushed its TLB where paging is not nested (npt=0).", nested_paging_svm),
    svm(0xa3, "VMEXIT_MCOMMIT", "The guest executed MCOMMIT.",
        "A program that commits stores to persistent memory.", not_offered),
    svm(0xa4, "VMEXIT_TLBSYNC", "The guest executed TLBSYNC, which waits for the flushes of INVLPGB.",
        "A kernel's TLB shootdown by broadcast; KVM does not offer the instruction.", not_offered),
    svm(0xa5, "VMEXIT_BUSLOCK",
        "The guest locked the bus more often than the threshold allows: an atomic access across two cache "
        "lines, or to "
        "uncached memory.",
        "A split lock, while a VMM limits bus locks (KVM_CAP_X86_BUS_LOCK_EXIT).",
        "Align the data of atomic operations; the guest's split_lock_detect finds who does not."),
    svm(0xa6, "VMEXIT_IDLE_HLT", "The guest halted its CPU, and no virtual interrupt was waiting for it.",
        "The idle loop of the guest's kernel, on a processor that does not exit for a HLT that is over at "
        "once.",
        "As for VMEXIT_HLT."),
});

}  // namespace kvmbench::stats::reasons
