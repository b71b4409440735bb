/// What KVM_RUN returns for. Numbers and names: include/uapi/linux/kvm.h of the Linux kernel; meaning: its
/// Documentation/virt/kvm/api.rst, section 5 "The kvm_run structure", and the capabilities of sections 7
/// and 8. Numbers are written out because headers older than a reason lack its macro.
#include <array>

#include "stats/exit_reason.hpp"

namespace kvmbench::stats {
namespace {

constexpr auto reasons = std::to_array<ReasonText>({
    {0, "KVM_EXIT_UNKNOWN", "unknown", "The vCPU left the guest for a reason that KVM cannot name.",
     "A hardware exit that an old kernel does not handle (newer ones return internal_error, sub-error 4); "
     "the "
     "hardware's reason number is the exit's detail.",
     "Update the host's kernel."},
    {1, "KVM_EXIT_EXCEPTION", "exception", "An exception of the guest was handed to userspace.",
     "Nothing: no current kernel returns it.", "Nothing to do: a count here is a bug of the host's kernel."},
    {2, "KVM_EXIT_IO", "io",
     "The guest executed a port I/O instruction for a port that KVM does not emulate.",
     "IN, OUT, INS or OUTS on an emulated device: a UART, a debug console, PCI configuration ports, CMOS.",
     "Use a paravirtual device, move many elements by one REP INS or REP OUTS, or bind hot ports to an "
     "ioeventfd "
     "or to coalesced I/O."},
    {3, "KVM_EXIT_HYPERCALL", "hypercall", "The guest made a hypercall that userspace asked to handle.",
     "On x86 KVM_HC_MAP_GPA_RANGE, by which an encrypted guest shares or unshares memory "
     "(KVM_CAP_EXIT_HYPERCALL); on arm64 an SMC or HVC that the SMCCC filter forwards.",
     "Convert larger ranges at a time, and reuse shared buffers rather than convert them back."},
    {4, "KVM_EXIT_DEBUG", "debug", "The guest reached a debug event that userspace had asked for.",
     "A breakpoint, a watchpoint or a single step of KVM_SET_GUEST_DEBUG.",
     "Detach the debugger, or set breakpoints instead of stepping."},
    {5, "KVM_EXIT_HLT", "hlt",
     "The guest halted its CPU and no interrupt controller in the kernel can wake it.",
     "HLT in the guest's idle loop while the local APIC is emulated in userspace or there is none.",
     "Use the kernel's irqchip, which serves HLT without a userspace exit."},
    {6, "KVM_EXIT_MMIO", "mmio",
     "The guest accessed an address that is neither RAM nor a device emulated by KVM, or wrote to read-only "
     "memory.",
     "A device register in memory space, such as a virtio-mmio register; also a probe of an address where "
     "nothing is.",
     "Bind notification registers to an ioeventfd, let the guest batch its notifications, or give it a "
     "device with "
     "fewer register accesses for each request."},
    {7, "KVM_EXIT_IRQ_WINDOW_OPEN", "irq_window_open",
     "The guest became able to take an interrupt that userspace had asked to inject.",
     "An interrupt controller in userspace that set request_interrupt_window while the guest had interrupts "
     "masked.",
     "Use the kernel's irqchip."},
    {8, "KVM_EXIT_SHUTDOWN", "shutdown", "The CPU went into the shutdown state.",
     "A triple fault: a crash before the guest's exception handlers work, or a deliberate reset by the "
     "guest's kernel.",
     "Look at the guest's last output and its registers; it cannot go on from here."},
    {9, "KVM_EXIT_FAIL_ENTRY", "fail_entry", "The CPU refused to enter the guest.",
     "Guest state that the hardware considers invalid; the hardware's reason number is the exit's detail.",
     "Check the registers and segments that the vCPU was set up with."},
    {10, "KVM_EXIT_INTR", "intr", "A signal or a request of userspace ended KVM_RUN.",
     "A timer signal, immediate_exit, or another thread that wants this vCPU's attention.",
     "Deliver interrupts by irqfd instead of kicking the vCPU's thread, and keep signals away from that "
     "thread."},
    {11, "KVM_EXIT_SET_TPR", "set_tpr", "The guest lowered its task priority, which userspace must know of.",
     "A write to CR8 while the local APIC is emulated in userspace.", "Use the kernel's irqchip."},
    {12, "KVM_EXIT_TPR_ACCESS", "tpr_access",
     "The guest accessed the task priority register of its local APIC.",
     "KVM_TPR_ACCESS_REPORTING is on and a 32-bit guest, often Windows XP, changes its task priority.",
     "Turn the reporting off, or use a CPU with TPR shadow or APIC virtualisation."},
    {13, "KVM_EXIT_S390_SIEIC", "s390_sieic", "An s390 instruction interception is left to userspace.",
     "DIAGNOSE, SIGP and I/O instructions that KVM does not handle itself.",
     "Nothing on x86: it does not occur."},
    {14, "KVM_EXIT_S390_RESET", "s390_reset", "An s390 guest asked for a reset.",
     "DIAGNOSE 0x308, by which the guest reboots or loads a new program.",
     "Nothing on x86: it does not occur."},
    {15, "KVM_EXIT_DCR", "dcr", "A PowerPC 440 guest accessed a device control register.",
     "Nothing: it is deprecated and no current kernel returns it.", "Nothing on x86: it does not occur."},
    {16, "KVM_EXIT_NMI", "nmi", "A machine check in a PowerPC guest is left to userspace.",
     "A memory error while KVM_CAP_PPC_FWNMI is enabled.", "Nothing on x86: it does not occur."},
    {17, "KVM_EXIT_INTERNAL_ERROR", "internal_error", "KVM could not go on with this vCPU.",
     "An instruction that KVM's emulator lacks (sub-error 1), exceptions that collided (2), or an exit "
     "during the "
     "delivery of an event (3); the sub-error is the exit's detail.",
     "Look at the bytes at RIP: avoid that instruction on device memory or in real mode, or update the "
     "host's kernel."},
    {18, "KVM_EXIT_OSI", "osi", "A PowerPC guest made a hypercall of the Mac-on-Linux interface.",
     "KVM_CAP_PPC_OSI is enabled and the guest uses it.", "Nothing on x86: it does not occur."},
    {19, "KVM_EXIT_PAPR_HCALL", "papr_hcall",
     "A PowerPC pSeries guest made a hypercall that KVM does not handle.",
     "Console output, PCI configuration and memory management calls of a pSeries guest.",
     "Nothing on x86: it does not occur."},
    {20, "KVM_EXIT_S390_UCONTROL", "s390_ucontrol",
     "A page fault of a user-controlled s390 guest could not be resolved by the kernel.",
     "The first access to a page that userspace has not mapped yet.", "Nothing on x86: it does not occur."},
    {21, "KVM_EXIT_WATCHDOG", "watchdog", "The watchdog timer of a PowerPC BookE guest expired.",
     "The guest hung or was not run for too long.", "Nothing on x86: it does not occur."},
    {22, "KVM_EXIT_S390_TSCH", "s390_tsch", "An s390 guest executed TEST SUBCHANNEL.",
     "Each completed request of a channel device, while KVM_CAP_S390_CSS_SUPPORT is enabled.",
     "Nothing on x86: it does not occur."},
    {23, "KVM_EXIT_EPR", "epr", "A PowerPC BookE guest took an interrupt whose vector userspace must name.",
     "Each external interrupt while the interrupt controller is emulated in userspace.",
     "Nothing on x86: it does not occur."},
    {24, "KVM_EXIT_SYSTEM_EVENT", "system_event",
     "The guest asked for something that concerns the whole machine.",
     "On x86 the end of an SEV guest or a Hyper-V crash or reset; elsewhere also power-off, reset and "
     "suspend by "
     "PSCI or SBI; the type is the exit's detail.",
     "Nothing to lessen: it happens once."},
    {25, "KVM_EXIT_S390_STSI", "s390_stsi", "An s390 guest executed STORE SYSTEM INFORMATION.",
     "The guest reads its virtual machine's name while KVM_CAP_S390_USER_STSI is enabled.",
     "Nothing on x86: it does not occur."},
    {26, "KVM_EXIT_IOAPIC_EOI", "ioapic_eoi",
     "The guest ended a level-triggered interrupt of an I/O APIC that userspace emulates.",
     "Each interrupt of a level-triggered device with a split irqchip.",
     "Use MSI or edge-triggered interrupts, or the kernel's full irqchip."},
    {27, "KVM_EXIT_HYPERV", "hyperv", "A Hyper-V enlightenment needs userspace.",
     "The guest set up its synthetic interrupt controller or debugger, or made a Hyper-V hypercall that KVM "
     "forwards.",
     "Do not offer the enlightenments that the guest does not need."},
    {28, "KVM_EXIT_ARM_NISV", "arm_nisv",
     "An arm64 guest accessed an address without memory by an instruction that the hardware does not decode.",
     "A load or store pair or one with write-back on a device, or a stray pointer.",
     "Nothing on x86: it does not occur."},
    {29, "KVM_EXIT_X86_RDMSR", "rdmsr", "The guest read a model-specific register that userspace serves.",
     "An MSR that KVM does not know or that the MSR filter denies, while KVM_CAP_X86_USER_SPACE_MSR is "
     "enabled.",
     "Let the guest read it once and keep the value, or hide the CPUID feature that makes it look."},
    {30, "KVM_EXIT_X86_WRMSR", "wrmsr", "The guest wrote a model-specific register that userspace serves.",
     "An MSR that KVM does not know or that the MSR filter denies, while KVM_CAP_X86_USER_SPACE_MSR is "
     "enabled.",
     "Narrow the MSR filter, or hide the CPUID feature that makes the guest write it."},
    {31, "KVM_EXIT_DIRTY_RING_FULL", "dirty_ring_full", "The vCPU's ring of dirtied pages is full.",
     "A guest that writes faster than userspace collects its dirty pages, as in live migration.",
     "Make the ring larger, or collect it more often."},
    {32, "KVM_EXIT_AP_RESET_HOLD", "ap_reset_hold", "A vCPU of an SEV-ES guest waits to be started.",
     "The guest's firmware parks its application processors, while they have no APIC state in the kernel to "
     "wait in.",
     "Nothing to lessen: it happens once for each vCPU and reset."},
    {33, "KVM_EXIT_X86_BUS_LOCK", "bus_lock", "The guest locked the whole memory bus.",
     "A locked access across two cache lines or to uncacheable memory, while KVM_CAP_X86_BUS_LOCK_EXIT is "
     "enabled.",
     "Align the data that the guest accesses atomically."},
    {34, "KVM_EXIT_XEN", "xen", "The guest made a Xen hypercall that KVM does not handle.",
     "A Xen PVHVM guest whose hypercalls userspace intercepts (KVM_CAP_XEN_HVM).",
     "Let KVM deliver event channels itself, where the kernel can."},
    {35, "KVM_EXIT_RISCV_SBI", "riscv_sbi", "A RISC-V guest made an SBI call that KVM does not handle.",
     "Console output of the legacy extension, or an extension left to userspace.",
     "Nothing on x86: it does not occur."},
    {36, "KVM_EXIT_RISCV_CSR", "riscv_csr",
     "A RISC-V guest accessed a control and status register that KVM does not handle.",
     "A CSR that is left to userspace.", "Nothing on x86: it does not occur."},
    {37, "KVM_EXIT_NOTIFY", "notify",
     "The guest ran too long without a point at which an event could be delivered.",
     "A malicious or broken instruction stream, while KVM_CAP_X86_NOTIFY_VMEXIT is enabled with "
     "KVM_X86_NOTIFY_VMEXIT_USER.",
     "Make the notify window longer if the guest is known to be sound."},
    {38, "KVM_EXIT_LOONGARCH_IOCSR", "loongarch_iocsr",
     "A LoongArch guest accessed an I/O control and status register.",
     "A device register in IOCSR space that KVM does not emulate.", "Nothing on x86: it does not occur."},
    {39, "KVM_EXIT_MEMORY_FAULT", "memory_fault", "An access to guest memory could not be resolved by KVM.",
     "An encrypted guest that accesses a page as private which is shared, or the reverse; or memory that is "
     "not there in userspace.",
     "Convert memory before its first use and in large ranges."},
    {40, "KVM_EXIT_TDX", "tdx", "An Intel TDX guest made a TDVMCALL that userspace serves.",
     "A request for a quote, for the list of supported calls, or for an event notification interrupt.",
     "Nothing to lessen: attestation is rare."},
    {41, "KVM_EXIT_ARM_SEA", "arm_sea",
     "An arm64 guest met a synchronous external abort that the host's firmware did not handle.",
     "An uncorrected memory error, while KVM_CAP_ARM_SEA_TO_USER is enabled.",
     "Nothing on x86: it does not occur."},
    {42, "KVM_EXIT_ARM_LDST64B", "arm_ldst64b", "An arm64 guest accessed 64 bytes of device memory at once.",
     "An LD64B or ST64B instruction on an address that is not RAM.", "Nothing on x86: it does not occur."},
    {43, "KVM_EXIT_SNP_REQ_CERTS", "snp_req_certs", "An SEV-SNP guest asked for the host's certificates.",
     "An extended guest request for an attestation report, while userspace has offered to provide "
     "certificates.",
     "Nothing to lessen: attestation is rare."},
});

constexpr bool each_is_its_index() {
  for (std::uint32_t i = 0; i < reasons.size(); ++i) {
    if (reasons[i].reason != i) return false;
  }
  return true;
}
static_assert(each_is_its_index());

}  // namespace

std::span<const ReasonText> userspace_reasons() noexcept {
  return reasons;
}

}  // namespace kvmbench::stats
