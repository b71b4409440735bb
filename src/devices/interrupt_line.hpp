/// The wire from a device to an interrupt controller.
#pragma once

namespace kvmbench {

class InterruptLine {
 public:
  virtual ~InterruptLine() = default;
  /// Drives the line to `asserted`; a call that changes nothing is allowed and does nothing. Thread-safe.
  /// Devices call it with their own lock held, so that changes arrive in order: it must not call a device
  /// back.
  virtual void set(bool asserted) noexcept = 0;
};

/// For machines without an interrupt controller, and for tests that do not look.
class UnconnectedLine final : public InterruptLine {
 public:
  void set(bool) noexcept override {}
};

}  // namespace kvmbench
