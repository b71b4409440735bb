/// What KVM_RUN came back with, decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "base/direction.hpp"
#include "stats/exit_key.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench {

/// `count` accesses of `width` bytes each to one port; their data lies one after the other at `data`, in
/// kvm_run.
struct PioExit {
  std::uint16_t port;
  Direction direction;
  std::uint8_t width;
  std::uint32_t count;
  std::byte* data;
};
struct MmioExit {
  std::uint64_t address;
  Direction direction;
  std::uint8_t width;
  std::byte* data;
};
struct MsrExit {
  std::uint32_t index;
  Direction direction;
  kvm_run* area;
};
struct HltExit {};
/// A signal, or request_exit().
struct InterruptedExit {};
/// KVM_RUN wants to be called again: an application processor that has just been started.
struct AgainExit {};
struct IoApicEoiExit {
  std::uint8_t vector;
};
/// The ring of modified pages is to be emptied (KVM_CAP_DIRTY_LOG_RING).
struct DirtyRingFullExit {};
/// Triple fault.
struct ShutdownExit {};
struct FailEntryExit {
  std::uint64_t hardware_reason;
};
struct InternalErrorExit {
  std::uint32_t suberror;
};
/// KVM_RUN failed with an errno that is neither EINTR nor EAGAIN.
struct FailedExit {
  int error;
};
/// A reason that this machine does not serve; it stays visible under its number.
struct UnservedExit {
  std::uint32_t reason;
};

using Exit =
    std::variant<PioExit, MmioExit, MsrExit, HltExit, InterruptedExit, AgainExit, IoApicEoiExit,
                 DirtyRingFullExit, ShutdownExit, FailEntryExit, InternalErrorExit, FailedExit, UnservedExit>;

/// The exit that `area` describes after KVM_EXIT_IO.
[[nodiscard]] inline PioExit pio_exit(kvm_run& area) noexcept {
  const auto& io = area.io;
  return {io.port, io.direction == KVM_EXIT_IO_IN ? Direction::read : Direction::write, io.size, io.count,
          reinterpret_cast<std::byte*>(&area) + io.data_offset};
}
/// The exit that `area` describes after KVM_EXIT_MMIO.
[[nodiscard]] inline MmioExit mmio_exit(kvm_run& area) noexcept {
  auto& mmio = area.mmio;
  return {mmio.phys_addr, mmio.is_write != 0 ? Direction::write : Direction::read,
          static_cast<std::uint8_t>(mmio.len), reinterpret_cast<std::byte*>(mmio.data)};
}
/// What they are counted under.
[[nodiscard]] inline stats::ExitKey key_of(const PioExit& exit, std::uint16_t phase) noexcept {
  return {.address = exit.port,
          .reason = KVM_EXIT_IO,
          .phase = phase,
          .width = exit.width,
          .direction = exit.direction};
}
[[nodiscard]] inline stats::ExitKey key_of(const MmioExit& exit, std::uint16_t phase) noexcept {
  return {.address = exit.address,
          .reason = KVM_EXIT_MMIO,
          .phase = phase,
          .width = exit.width,
          .direction = exit.direction};
}

/// The exit that `area` describes after KVM_RUN returned `error` (0 or errno), and the key it is counted
/// under (phase 0).
struct DecodedExit {
  Exit exit;
  stats::ExitKey key;
  std::uint32_t transfers = 1;
};
[[nodiscard]] DecodedExit decode(kvm_run& area, int error) noexcept;

}  // namespace kvmbench
