/// The real-time clock and CMOS memory, ports 0x70 and 0x71. Motorola MC146818A data sheet; century and
/// memory-size bytes as a PC's firmware keeps them.
///
/// The clock runs on the host's time of day plus an offset that the guest's own setting of the clock makes.
/// Nothing ticks: the time and the flags of register C are worked out from the clock when they are read. An
/// interrupt that the guest enables needs a timer of the machine, which calls tick() at next_deadline().
#pragma once

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

#include "devices/clock.hpp"
#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"
#include "devices/rtc_time.hpp"

namespace kvmbench {

/// Told that next_deadline() has changed.
class DeadlineListener {
 public:
  virtual ~DeadlineListener() = default;
  /// Any thread, without the device's lock.
  virtual void rearm() noexcept = 0;
};

class CmosRtc final : public Device {
 public:
  static constexpr std::uint64_t size = 2;

  /// What firmware writes into CMOS memory about the machine's RAM, in bytes.
  struct MemorySize {
    std::uint64_t below_4g = 0;
    std::uint64_t above_4g = 0;
  };

  /// `line` is IRQ 8.
  CmosRtc(InterruptLine& line, const WallClock& clock, MemorySize memory);

  /// Once, before the machine runs.
  void set_deadline_listener(DeadlineListener& listener) noexcept { deadline_listener_ = &listener; }

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "rtc"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

  /// When, by the clock given, tick() must be called for an enabled interrupt to come in time; none while no
  /// interrupt is enabled or one is already asserted. Any thread.
  [[nodiscard]] std::optional<WallClock::TimePoint> next_deadline() const noexcept;
  /// Raises the interrupt if one is due; too early or too late a call does no harm. Any thread.
  void tick() noexcept;

 private:
  using TimePoint = WallClock::TimePoint;

  [[nodiscard]] std::uint8_t read_byte(std::uint8_t index) noexcept;
  void write_byte(std::uint8_t index, std::uint8_t value) noexcept;
  void write_register_a(std::uint8_t value) noexcept;
  void write_register_b(std::uint8_t value) noexcept;
  void store_memory_size(MemorySize memory) noexcept;

  [[nodiscard]] RtcFormat format() const noexcept;
  [[nodiscard]] RtcAlarm alarm() const noexcept;
  /// The divider chain counts only in its normal mode (register A, DV), and updates are made only while it
  /// does and register B's SET is clear; else the time registers hold what was written to them.
  [[nodiscard]] bool divider_runs() const noexcept;
  [[nodiscard]] bool time_runs() const noexcept;
  [[nodiscard]] bool update_in_progress() const noexcept;
  /// The divider chain's time: the host's, and what a reset of the chain has shifted it by.
  [[nodiscard]] TimePoint divider_now() const noexcept { return clock_.now() + divider_shift_; }
  /// What the time registers show at a time of the divider chain.
  [[nodiscard]] std::chrono::sys_seconds shown_at(TimePoint divider) const noexcept;
  void store_time() noexcept;
  void run_from_stored_time() noexcept;

  /// Sets the flags of what has happened since it was last called.
  void advance() noexcept;
  [[nodiscard]] bool interrupt_requested() const noexcept;
  void drive_line() noexcept;
  [[nodiscard]] std::optional<TimePoint> deadline() const noexcept;
  [[nodiscard]] bool deadline_moved() noexcept;

  InterruptLine& line_;
  const WallClock& clock_;
  DeadlineListener* deadline_listener_ = nullptr;

  mutable std::mutex mutex_;
  std::array<std::uint8_t, 128> ram_{};
  std::uint8_t index_ = 0;
  std::chrono::nanoseconds divider_shift_{0};  // below 1 s
  std::chrono::seconds offset_{0};             // of the time shown from the divider chain's
  TimePoint advanced_to_;                      // by the divider chain
  std::optional<TimePoint> announced_deadline_;
  bool line_asserted_ = false;
};

}  // namespace kvmbench
