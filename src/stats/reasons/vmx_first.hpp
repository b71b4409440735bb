/// VMX basic exit reasons 0 to 41, those of the first processors with VMX: Intel SDM vol. 3, appendix C,
/// table C-1; what enables and causes each: "VMX Non-Root Operation", sections "Instructions that cause VM
/// exits" and "Other causes of VM exits". The short names are those of Linux
/// (arch/x86/include/uapi/asm/vmx.h).
#pragma once

#include "stats/reasons/shared_texts.hpp"

namespace kvmbench::stats::reasons {

inline constexpr auto vmx_first = std::to_array<ReasonText>({
    {0, "Exception or non-maskable interrupt (NMI)", "EXCEPTION_NMI",
     "The guest raised an exception that KVM intercepts, or an NMI came while the guest ran.",
     "#PF, for each fault on the guest's page tables, where paging is not nested (ept=0); #NM, #DB, #BP, #GP "
     "and #AC "
     "where KVM or a debugger asked for them; NMIs of the host's perf events or watchdog.",
     "Turn EPT on; end profiling of the host and debugging of the guest."},
    {1, "External interrupt", "EXTERNAL_INTERRUPT",
     "An interrupt for the host came while the guest ran; the guest is not told.",
     "The host's timer tick, its devices, and IPIs from other host CPUs: reschedules, kicks of this vCPU, "
     "TLB "
     "shootdowns.",
     "Give the vCPU a host CPU of its own (isolcpus, nohz_full), route the host's device interrupts "
     "elsewhere, and use "
     "posted interrupts (enable_apicv), so that interrupts for the guest kick no vCPU."},
    {2, "Triple fault", "TRIPLE_FAULT",
     "An exception while a double fault was delivered: the CPU would shut down.",
     "A crash before the guest's exception handlers work, or a reboot by triple fault, as a kernel's last "
     "resort.",
     once},
    {3, "INIT signal", "INIT_SIGNAL", "An INIT came to the host's CPU while the guest ran.",
     "The host's CPU is being reset or taken off line; a guest's own INIT IPIs are emulated by KVM and are "
     "not this.",
     host_event},
    {4, "Start-up IPI (SIPI)", "SIPI_SIGNAL",
     "A start-up IPI came while the vCPU was in the wait-for-SIPI state.",
     "A hypervisor that leaves the start of a guest's CPUs to the hardware. KVM does so for a nested guest "
     "only.",
     not_by_kvm},
    {5, "I/O system-management interrupt (SMI)", "IO_SMI",
     "An SMI came right after an I/O instruction that caused it.",
     "Firmware with a monitor of its own for system-management mode; it exits to that monitor, not to KVM.",
     not_by_kvm},
    {6, "Other SMI", "OTHER_SMI", "An SMI came that no I/O instruction had caused.",
     "Firmware with a monitor of its own for system-management mode; it exits to that monitor, not to KVM.",
     not_by_kvm},
    {7, "Interrupt window", "INTERRUPT_WINDOW",
     "The guest became able to take an interrupt that waits for it.",
     "KVM had an interrupt to inject while the guest had RFLAGS.IF clear, or was in the shadow of STI or MOV "
     "SS.",
     "Use APIC virtualisation (enable_apicv), by which the hardware delivers the interrupt at the right "
     "moment."},
    {8, "NMI window", "NMI_WINDOW", "The guest became able to take an NMI that waits for it.",
     "KVM had an NMI to inject while the guest handled another: performance events or the watchdog of the "
     "guest.",
     "Use fewer NMIs: turn off the guest's NMI watchdog, or sample less often."},
    {9, "Task switch", "TASK_SWITCH", "The guest began a task switch, which VMX leaves to software.",
     "A far CALL or JMP to a TSS or a task gate, or IRET with NT set; 32-bit kernels handle a double fault "
     "by a task "
     "gate.",
     "Nothing in a 64-bit guest, which has no task switches; else avoid task gates."},
    {10, "CPUID", "CPUID", "The guest executed CPUID, which always exits.",
     "Detection of features at boot and at the start of programs and libraries; CPUID used to serialize, as "
     "around "
     "RDTSC; alternatives patched by a kernel.",
     "Cache what CPUID says; serialize by LFENCE, RDTSCP, SERIALIZE or IRET to self."},
    {11, "GETSEC", "GETSEC", "The guest executed GETSEC, which always exits where CR4.SMXE lets it.",
     "Measured launch (Intel TXT) attempted in a guest; KVM does not offer it and raises #UD.", not_offered},
    {12, "HLT", "HLT", "The guest halted its CPU.",
     "The idle loop of the guest's kernel. The time of such an exit is the guest's idleness, not a cost; "
     "what costs is "
     "to wake up.",
     "Halt less often for short waits: the guest's haltpoll governor, idle=poll, or longer halt_poll_ns on "
     "the host; "
     "on a host CPU of its own, let it halt without an exit (KVM_CAP_X86_DISABLE_EXITS)."},
    {13, "INVD", "INVD", "The guest executed INVD, which always exits.",
     "Firmware that runs with the cache as RAM; KVM skips the instruction.", firmware_only},
    {14, "INVLPG", "INVLPG", "The guest executed INVLPG while KVM intercepts it.",
     "The guest's kernel unmapped or changed a page where paging is not nested (ept=0).", nested_paging_vmx},
    {15, "RDPMC", "RDPMC", "The guest read a performance counter by RDPMC.",
     "A profiler in the guest, such as perf, that reads counters directly; KVM emulates the counter.",
     "Read counters less often, or by a PMU that is passed through where the host's kernel can."},
    {16, "RDTSC", "RDTSC", "The guest read the TSC while that is intercepted.",
     "KVM does not intercept it, except for a nested hypervisor that asks so.",
     "Have the nested hypervisor use TSC offsetting and scaling."},
    {17, "RSM", "RSM", "Software in system-management mode executed RSM.",
     "Firmware with a monitor of its own for system-management mode; it exits to that monitor, not to KVM.",
     not_by_kvm},
    {18, "VMCALL", "VMCALL", "The guest executed VMCALL: a hypercall.",
     "A paravirtual kernel: KVM_HC_KICK_CPU for spinlocks, KVM_HC_SEND_IPI, KVM_HC_SCHED_YIELD, Hyper-V's "
     "enlightenments.",
     "Give each vCPU a host CPU, and tell the guest so (KVM_HINTS_REALTIME), so that it needs no paravirtual "
     "locks; "
     "several requests in one hypercall."},
    {19, "VMCLEAR", "VMCLEAR", nested_vmx, nested_vmx_switch, nested_vmx_remedy},
    {20, "VMLAUNCH", "VMLAUNCH", nested_vmx, nested_vmx_switch, nested_vmx_entry_remedy},
    {21, "VMPTRLD", "VMPTRLD", nested_vmx, nested_vmx_switch, nested_vmx_remedy},
    {22, "VMPTRST", "VMPTRST", nested_vmx,
     "A hypervisor in the guest stores the pointer of its current VMCS.", nested_vmx_remedy},
    {23, "VMREAD", "VMREAD", nested_vmx, "A hypervisor in the guest reads a field that no shadow VMCS holds.",
     "Use a processor with VMCS shadowing (enable_shadow_vmcs); have the inner hypervisor use an enlightened "
     "VMCS."},
    {24, "VMRESUME", "VMRESUME", nested_vmx,
     "A hypervisor in the guest enters its own guest again: once for each exit of the inner guest that it "
     "handles.",
     nested_vmx_entry_remedy},
    {25, "VMWRITE", "VMWRITE", nested_vmx,
     "A hypervisor in the guest writes a field that no shadow VMCS holds.",
     "Use a processor with VMCS shadowing (enable_shadow_vmcs); have the inner hypervisor use an enlightened "
     "VMCS."},
    {26, "VMXOFF", "VMXOFF", nested_vmx, "A hypervisor in the guest ends its use of VMX.", once},
    {27, "VMXON", "VMXON", nested_vmx, "A hypervisor in the guest begins to use VMX.", once},
    {28, "Control-register accesses", "CR_ACCESS",
     "The guest accessed CR0, CR3, CR4 or CR8 in a way that KVM intercepts.",
     "Without nested paging (ept=0) each change of address space, a MOV to CR3, and each change of "
     "TLB-relevant bits; "
     "with it, CLTS and changes of bits that KVM owns, at boot; CR8 where there is no TPR shadow.",
     "Turn EPT on; without it, fewer context switches between processes and no page-table isolation in the "
     "guest "
     "(pti=off)."},
    {29, "MOV DR", "DR_ACCESS", "The guest accessed a debug register.",
     "The first access after the vCPU was scheduled: a debugger or hardware breakpoints of perf in the "
     "guest. KVM then "
     "gives the guest the registers until the next switch.",
     "Use no hardware breakpoints in the guest; avoid moving the vCPU off its CPU."},
    {30, "I/O instruction", "IO_INSTRUCTION", "The guest executed IN, OUT, INS or OUTS.",
     "An access to an emulated device's port: a UART, PCI configuration, IDE, the ACPI timer, the doorbell "
     "of legacy "
     "virtio.",
     "Use paravirtual devices with their registers in memory space, output by REP OUTS, an ioeventfd on hot "
     "ports, and "
     "no timer that is read by a port."},
    {31, "RDMSR", "MSR_READ", "The guest read a model-specific register that KVM intercepts.",
     "Most MSRs: those of the local APIC in x2APIC mode where APIC virtualisation is off, performance "
     "counters, power "
     "management.",
     "Use APIC virtualisation (enable_apicv) and less profiling in the guest; what is read often can be "
     "cached there."},
    {32, "WRMSR", "MSR_WRITE", "The guest wrote a model-specific register that KVM intercepts.",
     "IA32_TSC_DEADLINE each time a timer is armed; the ICR and the EOI of an x2APIC where they are not "
     "virtualised; "
     "IA32_SPEC_CTRL before KVM passes it through.",
     "Fewer timers and wake-ups in the guest (nohz, longer slack), APIC virtualisation (enable_apicv) and, "
     "for IPIs, "
     "IPI virtualisation (enable_ipiv)."},
    {33, "VM-entry failure due to invalid guest state", "INVALID_STATE",
     "The CPU refused the guest's state and did not enter it; bit 31 of the exit reason is set.",
     "Segments, control registers or interruptibility that the SDM (vol. 3, \"Checks on the Guest State "
     "Area\") does "
     "not allow: a mistake of KVM, or of a VMM that set such registers.",
     "Compare the registers that were set with the SDM's checks; KVM's module parameter dump_invalid_vmcs "
     "shows them."},
    {34, "VM-entry failure due to MSR loading", "MSR_LOAD_FAIL",
     "An MSR of the VM-entry MSR-load area could not be loaded; bit 31 of the exit reason is set.",
     "A value that WRMSR would refuse, or an MSR that must not be in that area.",
     "Update the host's kernel; its list of MSRs and the CPU's microcode do not agree."},
    {36, "MWAIT", "MWAIT_INSTRUCTION", "The guest executed MWAIT while KVM intercepts it.",
     "A guest that idles by MWAIT although CPUID does not offer it (macOS); KVM treats it as NOP.",
     "Offer MWAIT on a host CPU of the vCPU's own (KVM_CAP_X86_DISABLE_EXITS), or have the guest idle by "
     "HLT."},
    {37, "Monitor trap flag", "MONITOR_TRAP_FLAG",
     "The guest executed one instruction while it is single-stepped.",
     "A debugger that steps the guest, or KVM that steps over an instruction for a nested hypervisor.",
     "Detach the debugger, or set breakpoints instead of stepping."},
    {39, "MONITOR", "MONITOR_INSTRUCTION", "The guest executed MONITOR while KVM intercepts it.",
     "A guest that idles by MONITOR and MWAIT although CPUID does not offer them; KVM treats it as NOP.",
     "Offer MWAIT on a host CPU of the vCPU's own (KVM_CAP_X86_DISABLE_EXITS), or have the guest idle by "
     "HLT."},
    {40, "PAUSE", "PAUSE_INSTRUCTION",
     "The guest spun in a loop of PAUSE for longer than the allowed window.",
     "A vCPU that waits for a lock whose holder is not running: more vCPUs than host CPUs.",
     "Give each vCPU a host CPU; use paravirtual spinlocks; raise ple_gap and ple_window, or set ple_gap=0 "
     "where CPUs "
     "are not shared."},
    {41, "VM-entry failure due to machine-check event", "MCE_DURING_VMENTRY",
     "A machine check came while the guest was being entered; bit 31 of the exit reason is set.",
     "A hardware error of the host's memory, cache or bus.",
     "Look at the host's machine-check log (rasdaemon)."},
});

}  // namespace kvmbench::stats::reasons
