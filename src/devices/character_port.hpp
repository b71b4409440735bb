/// What a character device of either kind tells the host's side.
#pragma once

#include <cstdint>

namespace kvmbench {

/// Told that a device which took less than it was offered has room again.
class ReceiveReady {
 public:
  virtual ~ReceiveReady() = default;
  /// On a vCPU's or the device's thread, without the device's lock: calling receive() from here is allowed.
  virtual void receive_ready() noexcept = 0;
};

/// Told of each byte that went out, after the sink has it.
class TransmitObserver {
 public:
  virtual ~TransmitObserver() = default;
  /// `interrupt_driven`: a UART's IER.ETBEI was set. Linux's kernel console polls with it clear, its tty
  /// driver sets it: so the first output of a user program is told apart. On a vCPU's or the device's thread,
  /// without its lock.
  virtual void transmitted(std::uint8_t byte, bool interrupt_driven) noexcept = 0;
};

}  // namespace kvmbench
