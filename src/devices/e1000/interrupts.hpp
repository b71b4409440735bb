/// Interrupt causes, their mask, and what delays an interrupt: the delay timers of the two directions and the
/// throttling register (13.4.17 to 13.4.21, 13.4.30, 13.4.31, 13.4.44, 13.4.47; 3.2.7, 3.4.3).
#pragma once

#include <cstdint>
#include <optional>

#include "devices/clock.hpp"
#include "devices/e1000/registers.hpp"
#include "devices/interrupt_line.hpp"

namespace kvmbench::e1000 {

/// A pair of timers that put off one cause: the first begins anew with each event, the second with the first
/// event after an interrupt.
class DelayTimers final {
 public:
  /// From the registers, in units of 1.024 us; 0: the timer is not used.
  void set_packet(std::uint32_t units) noexcept { packet_ = units; }
  void set_absolute(std::uint32_t units) noexcept { absolute_ = units; }
  [[nodiscard]] bool used() const noexcept { return packet_ != 0; }

  void event(std::uint64_t now) noexcept;
  void cancel() noexcept { deadline_.reset(); }
  [[nodiscard]] const std::optional<std::uint64_t>& deadline() const noexcept { return deadline_; }

 private:
  std::uint32_t packet_ = 0;
  std::uint32_t absolute_ = 0;
  std::optional<std::uint64_t> deadline_;  // ns
  std::uint64_t latest_ = 0;               // while there is a deadline
};

/// Called with the card's lock held. The line is driven by apply() only, once after each access or frame, so
/// that several causes make one change.
class Interrupts final {
 public:
  Interrupts(InterruptLine& line, const MonotonicClock& clock) noexcept : line_(line), clock_(clock) {}

  void raise(std::uint32_t causes) noexcept { causes_ |= causes & cause::all; }
  /// A transmit descriptor was written back; `delayed` where its IDE was set.
  void transmitted(bool delayed) noexcept;
  /// A frame was stored; `small` where RSRPD says so: that is told at once, whatever the timers are set to.
  void received(bool small) noexcept;

  [[nodiscard]] std::uint32_t read_icr() noexcept;
  void write_icr(std::uint32_t value) noexcept { causes_ &= ~value; }
  [[nodiscard]] std::uint32_t ims() const noexcept { return mask_; }
  void write_ims(std::uint32_t value) noexcept { mask_ |= value & cause::all; }
  void write_imc(std::uint32_t value) noexcept { mask_ &= ~value; }
  /// ITR, in units of 256 ns.
  void set_interval(std::uint32_t units) noexcept { interval_ = units; }
  [[nodiscard]] DelayTimers& receive_timers() noexcept { return receive_; }
  [[nodiscard]] DelayTimers& transmit_timers() noexcept { return transmit_; }
  /// FPD: what waits for the receive timers, or the transmit timers, is told now.
  void flush_receive() noexcept;
  void flush_transmit() noexcept;

  /// Lets timers that are due go off, and drives the line. Returns when, in ns, it has to be called again;
  /// none where it need not be.
  std::optional<std::uint64_t> apply() noexcept;

  void reset() noexcept;
  /// How often the line has been asserted.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  InterruptLine& line_;
  const MonotonicClock& clock_;
  std::uint32_t causes_ = 0;
  std::uint32_t mask_ = 0;
  std::uint32_t interval_ = 0;
  DelayTimers receive_;
  DelayTimers transmit_;
  bool asserted_ = false;
  std::optional<std::uint64_t> last_assertion_;  // ns
  std::uint64_t count_ = 0;
};

}  // namespace kvmbench::e1000
