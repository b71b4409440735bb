#include "vmm/crash_report.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench {
namespace {

constexpr std::size_t longest_instruction = 15;  // Intel SDM vol. 2A, 2.3.11

/// The bytes at CS:RIP: those that KVM itself gives with an emulation failure, else read through the guest's
/// page tables.
std::vector<std::byte> instruction_bytes(Vcpu& vcpu, const GuestMemory& memory, std::uint64_t linear) {
  const kvm_run& area = vcpu.area();
  if (area.exit_reason == KVM_EXIT_INTERNAL_ERROR && area.internal.suberror == KVM_INTERNAL_ERROR_EMULATION &&
      area.emulation_failure.ndata >= 3 &&
      (area.emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0) {
    const auto* bytes = reinterpret_cast<const std::byte*>(area.emulation_failure.insn_bytes);
    const std::size_t size = std::min<std::size_t>(area.emulation_failure.insn_size, longest_instruction);
    if (size > 0) return {bytes, bytes + size};
  }
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < longest_instruction; ++i) {
    const auto physical = vcpu.translate(linear + i);
    const auto byte = physical ? memory.load<std::byte>(*physical) : std::nullopt;
    if (!byte) break;
    bytes.push_back(*byte);
  }
  return bytes;
}

std::string describe_exit(const kvm_run& area, int error) {
  if (error != 0) return fmt::format("KVM_RUN: {}", std::strerror(error));
  std::string text =
      fmt::format("exit reason {} ({})", area.exit_reason, stats::userspace_reason_name(area.exit_reason));
  if (area.exit_reason == KVM_EXIT_INTERNAL_ERROR) {
    text += fmt::format(", suberror {}", area.internal.suberror);
    if (area.internal.suberror == KVM_INTERNAL_ERROR_EMULATION) text += " (instruction not emulated)";
    if (area.internal.suberror == KVM_INTERNAL_ERROR_DELIVERY_EV) text += " (event not delivered)";
  } else if (area.exit_reason == KVM_EXIT_FAIL_ENTRY) {
    text += fmt::format(", hardware reason {:#x}", area.fail_entry.hardware_entry_failure_reason);
  }
  return text;
}

std::string describe_registers(const kvm_regs& r, const kvm_sregs& s) {
  std::string text;
  text += fmt::format("  rip {:016x}  rsp {:016x}  rflags {:08x}\n", r.rip, r.rsp, r.rflags);
  text += fmt::format("  rax {:016x}  rbx {:016x}  rcx {:016x}  rdx {:016x}\n", r.rax, r.rbx, r.rcx, r.rdx);
  text += fmt::format("  rsi {:016x}  rdi {:016x}  rbp {:016x}  r8  {:016x}\n", r.rsi, r.rdi, r.rbp, r.r8);
  text += fmt::format("  r9  {:016x}  r10 {:016x}  r11 {:016x}  r12 {:016x}\n", r.r9, r.r10, r.r11, r.r12);
  text += fmt::format("  r13 {:016x}  r14 {:016x}  r15 {:016x}\n", r.r13, r.r14, r.r15);
  text += fmt::format("  cr0 {:08x}  cr2 {:016x}  cr3 {:016x}  cr4 {:08x}  efer {:04x}\n", s.cr0, s.cr2,
                      s.cr3, s.cr4, s.efer);
  text +=
      fmt::format("  cs {:04x} base {:x} (cpl {})  ss {:04x}  gdt {:x}+{:x}  idt {:x}+{:x}\n", s.cs.selector,
                  s.cs.base, s.ss.dpl, s.ss.selector, s.gdt.base, s.gdt.limit, s.idt.base, s.idt.limit);
  return text;
}

}  // namespace

std::string crash_report(Vcpu& vcpu, const GuestMemory& memory, int error) {
  const kvm_run& area = vcpu.area();
  const kvm_regs regs = vcpu.registers();
  const kvm_sregs sregs = vcpu.special_registers();
  std::string text = fmt::format("vCPU {} stopped: {}\n", vcpu.id(), describe_exit(area, error));
  text += describe_registers(regs, sregs);
  const std::vector<std::byte> bytes = instruction_bytes(vcpu, memory, sregs.cs.base + regs.rip);
  text += "  at rip:";
  for (const std::byte byte : bytes) text += fmt::format(" {:02x}", static_cast<unsigned>(byte));
  const std::string name = instruction_name(bytes);
  text += bytes.empty() ? " (no memory there)\n" : name.empty() ? "\n" : fmt::format("  ({})\n", name);
  if (area.exit_reason == KVM_EXIT_INTERNAL_ERROR && area.internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
    text += fmt::format(
        "  KVM had to emulate {} and cannot. With VT-x or AMD-V it emulates only what reaches for device "
        "memory;\n"
        "  without, all kernel code: then a host that has one of them runs it.\n",
        name.empty() ? "the instruction above" : name);
  }
  return text;
}

}  // namespace kvmbench
