/// SVM exit codes 0x00 to 0x3f, accesses to control and debug registers, and 0x8f to 0x9f, traps after such
/// writes: AMD APM vol. 2, appendix C, table C-1; what intercepts each: section "Instruction Intercepts".
#pragma once

#include "stats/reasons/svm.hpp"

namespace kvmbench::stats::reasons {

// Descriptions
inline constexpr std::string_view reads_reserved_cr = "The guest read a control register that is reserved.";
inline constexpr std::string_view writes_reserved_cr = "The guest wrote a control register that is reserved.";
inline constexpr std::string_view reads_dr = "The guest read this debug register.";
inline constexpr std::string_view writes_dr = "The guest wrote this debug register.";
inline constexpr std::string_view reads_reserved_dr = "The guest read a debug register that is reserved.";
inline constexpr std::string_view writes_reserved_dr = "The guest wrote a debug register that is reserved.";
inline constexpr std::string_view wrote_cr =
    "The guest has written this control register, and the write is done.";

// Causes
inline constexpr std::string_view reserved_register = "Such an instruction is #UD, which comes first.";
inline constexpr std::string_view debugging =
    "The first access after the vCPU was scheduled: a debugger or hardware breakpoints of perf in the guest. "
    "KVM then "
    "gives the guest the registers until the next switch.";
inline constexpr std::string_view encrypted_guest =
    "A guest whose registers are encrypted (SEV-ES): KVM must learn of the change, and can only be told "
    "afterwards.";
inline constexpr std::string_view not_in_encrypted_guest = "KVM sets no such trap.";

// Remedies
inline constexpr std::string_view no_breakpoints =
    "Use no hardware breakpoints in the guest; avoid moving the vCPU off its CPU.";
inline constexpr std::string_view mode_changes =
    "Nothing to lessen: changes of the CPU's mode are few, most of them at boot.";

inline constexpr auto svm_registers = std::to_array<ReasonText>({
    svm(0x00, "VMEXIT_CR0_READ", "The guest read CR0.",
        "Without nested paging (npt=0): KVM's CR0 differs from the guest's.", nested_paging_svm),
    svm(0x01, "VMEXIT_CR1_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x02, "VMEXIT_CR2_READ", "The guest read CR2.", only_for_nested, not_by_kvm),
    svm(0x03, "VMEXIT_CR3_READ", "The guest read CR3.",
        "Without nested paging (npt=0): the real CR3 is KVM's shadow table. A kernel reads it at context "
        "switches and "
        "TLB flushes.",
        nested_paging_svm),
    svm(0x04, "VMEXIT_CR4_READ", "The guest read CR4.",
        "The guest's kernel looks at its features, or flushes its whole TLB by toggling CR4.PGE.",
        mode_changes),
    svm(0x05, "VMEXIT_CR5_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x06, "VMEXIT_CR6_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x07, "VMEXIT_CR7_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x08, "VMEXIT_CR8_READ", "The guest read CR8, its task priority.",
        "KVM does not intercept it: the processor virtualises the task priority (V_TPR).", not_by_kvm),
    svm(0x09, "VMEXIT_CR9_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x0a, "VMEXIT_CR10_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x0b, "VMEXIT_CR11_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x0c, "VMEXIT_CR12_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x0d, "VMEXIT_CR13_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x0e, "VMEXIT_CR14_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x0f, "VMEXIT_CR15_READ", reads_reserved_cr, reserved_register, not_by_kvm),
    svm(0x10, "VMEXIT_CR0_WRITE", "The guest wrote CR0.",
        "A change of the CPU's mode at boot; CLTS and the setting of CR0.TS, where a kernel switches the FPU "
        "lazily.",
        mode_changes),
    svm(0x11, "VMEXIT_CR1_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x12, "VMEXIT_CR2_WRITE", "The guest wrote CR2.", only_for_nested, not_by_kvm),
    svm(0x13, "VMEXIT_CR3_WRITE", "The guest wrote CR3: it changed its address space, or flushed its TLB.",
        "Without nested paging (npt=0): each context switch between processes and, with page-table "
        "isolation, each "
        "system call.",
        "Turn nested paging on (npt=1); without it, fewer context switches and no page-table isolation "
        "(pti=off)."),
    svm(0x14, "VMEXIT_CR4_WRITE", "The guest wrote CR4.",
        "Features enabled at boot; a flush of the whole TLB by toggling CR4.PGE.", mode_changes),
    svm(0x15, "VMEXIT_CR5_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x16, "VMEXIT_CR6_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x17, "VMEXIT_CR7_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x18, "VMEXIT_CR8_WRITE", "The guest wrote CR8, its task priority.",
        "Guests that change their task priority all the time (64-bit Windows), while KVM must know of it.",
        "Use AVIC, or more recent guests, which change it lazily."),
    svm(0x19, "VMEXIT_CR9_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x1a, "VMEXIT_CR10_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x1b, "VMEXIT_CR11_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x1c, "VMEXIT_CR12_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x1d, "VMEXIT_CR13_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x1e, "VMEXIT_CR14_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x1f, "VMEXIT_CR15_WRITE", writes_reserved_cr, reserved_register, not_by_kvm),
    svm(0x20, "VMEXIT_DR0_READ", reads_dr, debugging, no_breakpoints),
    svm(0x21, "VMEXIT_DR1_READ", reads_dr, debugging, no_breakpoints),
    svm(0x22, "VMEXIT_DR2_READ", reads_dr, debugging, no_breakpoints),
    svm(0x23, "VMEXIT_DR3_READ", reads_dr, debugging, no_breakpoints),
    svm(0x24, "VMEXIT_DR4_READ", reads_dr, debugging, no_breakpoints),
    svm(0x25, "VMEXIT_DR5_READ", reads_dr, debugging, no_breakpoints),
    svm(0x26, "VMEXIT_DR6_READ", reads_dr, debugging, no_breakpoints),
    svm(0x27, "VMEXIT_DR7_READ", reads_dr, debugging, no_breakpoints),
    svm(0x28, "VMEXIT_DR8_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x29, "VMEXIT_DR9_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x2a, "VMEXIT_DR10_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x2b, "VMEXIT_DR11_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x2c, "VMEXIT_DR12_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x2d, "VMEXIT_DR13_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x2e, "VMEXIT_DR14_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x2f, "VMEXIT_DR15_READ", reads_reserved_dr, reserved_register, not_by_kvm),
    svm(0x30, "VMEXIT_DR0_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x31, "VMEXIT_DR1_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x32, "VMEXIT_DR2_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x33, "VMEXIT_DR3_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x34, "VMEXIT_DR4_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x35, "VMEXIT_DR5_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x36, "VMEXIT_DR6_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x37, "VMEXIT_DR7_WRITE", writes_dr, debugging, no_breakpoints),
    svm(0x38, "VMEXIT_DR8_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
    svm(0x39, "VMEXIT_DR9_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
    svm(0x3a, "VMEXIT_DR10_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
    svm(0x3b, "VMEXIT_DR11_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
    svm(0x3c, "VMEXIT_DR12_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
    svm(0x3d, "VMEXIT_DR13_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
    svm(0x3e, "VMEXIT_DR14_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
    svm(0x3f, "VMEXIT_DR15_WRITE", writes_reserved_dr, reserved_register, not_by_kvm),
});

inline constexpr auto svm_write_traps = std::to_array<ReasonText>({
    svm(0x8f, "VMEXIT_EFER_WRITE_TRAP", "The guest has written EFER, and the write is done.", encrypted_guest,
        mode_changes),
    svm(0x90, "VMEXIT_CR0_WRITE_TRAP", wrote_cr, encrypted_guest, mode_changes),
    svm(0x91, "VMEXIT_CR1_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x92, "VMEXIT_CR2_WRITE_TRAP", wrote_cr, not_in_encrypted_guest, not_by_kvm),
    svm(0x93, "VMEXIT_CR3_WRITE_TRAP", wrote_cr, not_in_encrypted_guest, not_by_kvm),
    svm(0x94, "VMEXIT_CR4_WRITE_TRAP", wrote_cr, encrypted_guest, mode_changes),
    svm(0x95, "VMEXIT_CR5_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x96, "VMEXIT_CR6_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x97, "VMEXIT_CR7_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x98, "VMEXIT_CR8_WRITE_TRAP", wrote_cr, encrypted_guest, mode_changes),
    svm(0x99, "VMEXIT_CR9_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x9a, "VMEXIT_CR10_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x9b, "VMEXIT_CR11_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x9c, "VMEXIT_CR12_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x9d, "VMEXIT_CR13_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x9e, "VMEXIT_CR14_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
    svm(0x9f, "VMEXIT_CR15_WRITE_TRAP", wrote_cr, reserved_register, not_by_kvm),
});

}  // namespace kvmbench::stats::reasons
