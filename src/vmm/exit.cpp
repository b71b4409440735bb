#include "vmm/exit.hpp"

#include <cerrno>

namespace kvmbench {
namespace {

stats::ExitKey key_of(std::uint32_t reason, std::uint64_t address = 0, Direction direction = Direction::none,
                      std::uint8_t width = 0) {
  return {.address = address, .reason = reason, .phase = 0, .width = width, .direction = direction};
}

DecodedExit decode_error(int error) noexcept {
  if (error == EINTR) return {InterruptedExit{}, key_of(KVM_EXIT_INTR)};
  const stats::ExitKey key = key_of(stats::error_reason | static_cast<std::uint32_t>(error));
  if (error == EAGAIN) return {AgainExit{}, key};
  return {FailedExit{error}, key};
}

DecodedExit decode_msr(kvm_run& area, Direction direction) noexcept {
  return {MsrExit{area.msr.index, direction, &area}, key_of(area.exit_reason, area.msr.index, direction, 8)};
}

}  // namespace

DecodedExit decode(kvm_run& area, int error) noexcept {
  if (error != 0) return decode_error(error);
  const std::uint32_t reason = area.exit_reason;
  switch (reason) {
    case KVM_EXIT_IO: {
      const PioExit exit = pio_exit(area);
      return {exit, key_of(exit, 0), exit.count};
    }
    case KVM_EXIT_MMIO: {
      const MmioExit exit = mmio_exit(area);
      return {exit, key_of(exit, 0)};
    }
    case KVM_EXIT_X86_RDMSR:
      return decode_msr(area, Direction::read);
    case KVM_EXIT_X86_WRMSR:
      return decode_msr(area, Direction::write);
    case KVM_EXIT_HLT:
      return {HltExit{}, key_of(reason)};
    case KVM_EXIT_INTR:
      return {InterruptedExit{}, key_of(reason)};
    case KVM_EXIT_IOAPIC_EOI:
      return {IoApicEoiExit{area.eoi.vector}, key_of(reason, area.eoi.vector)};
    case KVM_EXIT_DIRTY_RING_FULL:
      return {DirtyRingFullExit{}, key_of(reason)};
    case KVM_EXIT_SHUTDOWN:
      return {ShutdownExit{}, key_of(reason)};
    case KVM_EXIT_FAIL_ENTRY:
      return {FailEntryExit{area.fail_entry.hardware_entry_failure_reason},
              key_of(reason, area.fail_entry.hardware_entry_failure_reason)};
    case KVM_EXIT_INTERNAL_ERROR:
      return {InternalErrorExit{area.internal.suberror}, key_of(reason, area.internal.suberror)};
    default:
      return {UnservedExit{reason}, key_of(reason)};
  }
}

}  // namespace kvmbench
