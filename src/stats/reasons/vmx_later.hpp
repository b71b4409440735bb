/// VMX basic exit reasons from 43 on, of controls that came to VMX later: Intel SDM vol. 3, appendix C, table
/// C-1, and for 78 and above its current editions; what enables and causes each: "VMX Non-Root Operation" and
/// "APIC Virtualization and Virtual Interrupts". 71, 82 and 83 are no reasons.
#pragma once

#include "stats/reasons/shared_texts.hpp"

namespace kvmbench::stats::reasons {

inline constexpr auto vmx_later = std::to_array<ReasonText>({
    {43, "TPR below threshold", "TPR_BELOW_THRESHOLD",
     "The guest lowered its task priority below that of an interrupt that waits.",
     "Guests that change CR8 or the TPR all the time (Windows) while KVM has an interrupt of low priority to "
     "inject.",
     "Use APIC virtualisation (enable_apicv), which delivers the interrupt without an exit."},
    {44, "APIC access", "APIC_ACCESS",
     "The guest accessed the page of its local APIC, in a way that is not virtualised.",
     "Reads and writes of the xAPIC's registers where APIC-register virtualisation is off: EOI, ICR, the "
     "timer.",
     "Use x2APIC mode in the guest and APIC virtualisation (enable_apicv)."},
    {45, "Virtualized EOI", "EOI_INDUCED",
     "The guest ended an interrupt whose vector is in the EOI-exit bitmap.",
     "The end of a level-triggered interrupt, of which the I/O APIC must know, while APIC virtualisation is "
     "on.",
     "Use MSI instead of level-triggered interrupts."},
    {46, "Access to GDTR or IDTR", "GDTR_IDTR",
     "The guest executed LGDT, LIDT, SGDT or SIDT while that is intercepted.",
     "Emulation of UMIP on a processor without it: SGDT and SIDT of programs; or a nested hypervisor that "
     "asks so.",
     "Do not offer UMIP where the processor lacks it."},
    {47, "Access to LDTR or TR", "LDTR_TR",
     "The guest executed LLDT, LTR, SLDT or STR while that is intercepted.",
     "Emulation of UMIP on a processor without it: SLDT and STR of programs; or a nested hypervisor that "
     "asks so.",
     "Do not offer UMIP where the processor lacks it."},
    {48, "EPT violation", "EPT_VIOLATION",
     "The guest accessed a guest-physical address that EPT does not allow.",
     "The first touch of a page of its memory, or the first write to one that is logged as clean or shared "
     "by KSM; also "
     "the first access to an MMIO address.",
     "Back memory by huge pages and populate it before the guest starts; avoid dirty logging, ballooning and "
     "KSM for it."},
    {49, "EPT misconfiguration", "EPT_MISCONFIG",
     "The guest accessed a page whose EPT entry is deliberately invalid: KVM's mark for MMIO.",
     "Each access to the register of a device that is emulated in memory space.",
     "Bind notification registers to an ioeventfd, let the guest batch its notifications, or use a device "
     "with fewer "
     "register accesses for each request."},
    {50, "INVEPT", "INVEPT", nested_vmx, "A hypervisor in the guest changed its own EPT tables.",
     nested_vmx_remedy},
    {51, "RDTSCP", "RDTSCP", "The guest executed RDTSCP while the reading of the TSC is intercepted.",
     "KVM does not intercept it, except for a nested hypervisor that asks so.",
     "Have the nested hypervisor use TSC offsetting and scaling."},
    {52, "VMX-preemption timer expired", "PREEMPTION_TIMER",
     "The time that KVM had allowed the guest to run is over.",
     "The guest's own local APIC timer went off: KVM lets the preemption timer stand for it while the vCPU "
     "runs.",
     "Fewer timers in the guest: nohz_full, a lower tick rate, longer timer slack."},
    {53, "INVVPID", "INVVPID", nested_vmx, "A hypervisor in the guest flushed its own guest's TLB.",
     nested_vmx_remedy},
    {54, "WBINVD or WBNOINVD", "WBINVD", "The guest wrote back all caches.",
     "Graphics drivers, changes of memory types (MTRR) and suspend in the guest. KVM does it only where a "
     "passed-through "
     "device can bypass the cache.",
     "Let drivers flush lines (CLFLUSHOPT) instead of everything."},
    {55, "XSETBV", "XSETBV", "The guest executed XSETBV, which always exits.",
     "A kernel that enables extended states, once a CPU at boot; a program or library does not.", once},
    {56, "APIC write", "APIC_WRITE",
     "The guest wrote a register of its virtual APIC page that needs software to act.",
     "The ICR and the timer's registers while APIC virtualisation is on.",
     "IPI virtualisation (enable_ipiv) for IPIs; IA32_TSC_DEADLINE and fewer timers for the rest."},
    {57, "RDRAND", "RDRAND", "The guest executed RDRAND while that is intercepted.", only_for_nested,
     "Have the nested hypervisor let its guest execute it."},
    {58, "INVPCID", "INVPCID", "The guest executed INVPCID while KVM intercepts it.",
     "The guest's kernel flushed its TLB where paging is not nested (ept=0).", nested_paging_vmx},
    {59, "VMFUNC", "VMFUNC",
     "The guest executed VMFUNC, and the function was not one that the CPU does itself.",
     "A nested hypervisor's guest that switches EPT pointers; KVM emulates it.",
     "Nothing in KVM; use fewer EPTP switches."},
    {60, "ENCLS", "ENCLS", "The guest executed a leaf of ENCLS that is intercepted.",
     "A guest's kernel that creates SGX enclaves; KVM intercepts ECREATE and EINIT, and all where SGX is not "
     "offered.",
     "Create enclaves once and keep them."},
    {61, "RDSEED", "RDSEED", "The guest executed RDSEED while that is intercepted.", only_for_nested,
     "Have the nested hypervisor let its guest execute it."},
    {62, "Page-modification log full", "PML_FULL", "The log of pages that the guest has written is full.",
     "The guest wrote 512 pages while dirty logging is on: live migration, snapshots, a display that is "
     "refreshed.",
     "Migrate when the guest writes little; the alternative (pml=0), a write fault a page, costs more."},
    {63, "XSAVES", "XSAVES", "The guest executed XSAVES with a state component that is intercepted.",
     only_for_nested, "Have the nested hypervisor let its guest execute it."},
    {64, "XRSTORS", "XRSTORS", "The guest executed XRSTORS with a state component that is intercepted.",
     only_for_nested, "Have the nested hypervisor let its guest execute it."},
    {65, "PCONFIG", "PCONFIG", "The guest executed a leaf of PCONFIG that is intercepted.",
     "A guest that programs keys of memory encryption (TME-MK), which KVM does not offer.", not_offered},
    {66, "SPP-related event", "SPP_EVENT", "A sub-page permission was missing or malformed.",
     "A hypervisor that protects parts of pages from writes. KVM does not use it.", not_by_kvm},
    {67, "UMWAIT", "UMWAIT", "The guest executed UMWAIT while it is intercepted.",
     "KVM offers WAITPKG without the intercept, so only for a nested hypervisor that asks so.",
     "Have the nested hypervisor let its guest execute it."},
    {68, "TPAUSE", "TPAUSE", "The guest executed TPAUSE while it is intercepted.",
     "KVM offers WAITPKG without the intercept, so only for a nested hypervisor that asks so.",
     "Have the nested hypervisor let its guest execute it."},
    {69, "LOADIWKEY", "LOADIWKEY", "The guest executed LOADIWKEY while that is intercepted.",
     "A guest that sets the wrapping key of Key Locker, which KVM does not offer.", not_offered},
    {70, "ENCLV", "ENCLV", "The guest executed a leaf of ENCLV that is intercepted.",
     "A hypervisor of SGX enclaves with oversubscription, which KVM does not offer.", not_offered},
    {72, "ENQCMD PASID translation failure", "ENQCMD_PASID_FAILURE",
     "The guest executed ENQCMD with a PASID that the translation tables do not have.",
     "Work sent to a shared accelerator for a process whose PASID is not set up; KVM does not use the "
     "tables.",
     not_by_kvm},
    {73, "ENQCMDS PASID translation failure", "ENQCMDS_PASID_FAILURE",
     "The guest executed ENQCMDS with a PASID that the translation tables do not have.",
     "Work sent to a shared accelerator for a process whose PASID is not set up; KVM does not use the "
     "tables.",
     not_by_kvm},
    {74, "Bus lock", "BUS_LOCK",
     "The guest locked the bus: an atomic access across two cache lines, or to uncached memory.",
     "A split lock, while a VMM limits bus locks (KVM_CAP_X86_BUS_LOCK_EXIT).",
     "Align the data of atomic operations; the guest's split_lock_detect finds who does not."},
    {75, "Instruction timeout", "NOTIFY",
     "The guest gave no chance for an event for longer than the notify window.",
     "Microcode that loops or is very slow in the guest: an attack on the host, or a window that is too "
     "small "
     "(KVM_CAP_X86_NOTIFY_VMEXIT).",
     "Widen the window, if the guest is innocent."},
    {76, "SEAMCALL", "SEAMCALL", "The guest executed SEAMCALL.",
     "A guest that would be a host of trust domains (TDX), which KVM does not offer; KVM raises #UD.",
     not_offered},
    {77, "TDCALL", "TDCALL", "The guest executed TDCALL.",
     "In a trust domain, a request of the guest to the host; elsewhere a mistake: KVM raises #UD.",
     "In a trust domain, what lessens the exit that the call stands for."},
    {78, "RDMSRLIST", "RDMSRLIST", "The guest read a list of MSRs, one of which is intercepted.",
     "A kernel that switches many MSRs at once; KVM does not offer the instruction.", not_offered},
    {79, "WRMSRLIST", "WRMSRLIST", "The guest wrote a list of MSRs, one of which is intercepted.",
     "A kernel that switches many MSRs at once; KVM does not offer the instruction.", not_offered},
    {80, "URDMSR", "URDMSR", "A program of the guest read an MSR by URDMSR, which is intercepted.",
     "User interrupts or counters read by programs; KVM does not offer the instruction.", not_offered},
    {81, "UWRMSR", "UWRMSR", "A program of the guest wrote an MSR by UWRMSR, which is intercepted.",
     "User interrupts sent by programs; KVM does not offer the instruction.", not_offered},
    {84, "RDMSR with an immediate", "MSR_READ_IMM",
     "The guest read a model-specific register that KVM intercepts, by the form whose number is in the "
     "instruction.",
     "As for RDMSR, on processors and kernels that have this form.", "As for RDMSR."},
    {85, "WRMSRNS with an immediate", "MSR_WRITE_IMM",
     "The guest wrote a model-specific register that KVM intercepts, by the form whose number is in the "
     "instruction.",
     "As for WRMSR, on processors and kernels that have this form.", "As for WRMSR."},
});

}  // namespace kvmbench::stats::reasons
