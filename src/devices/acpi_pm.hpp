/// ACPI power management fixed hardware. Section numbers: ACPI 6.4, chapter 4.8.
///
/// One block of ports: PM1a_EVT_BLK at +0 (PM1_STS, PM1_EN), PM1a_CNT_BLK at +4, PM_TMR_BLK at +8. There is
/// no SMI command port, so SCI_EN is always set, and no general-purpose event block. TMR_STS tells of
/// the timer's carry when it is read; TMR_EN cannot be set, as there is no interrupt for it.
#pragma once

#include <mutex>

#include "devices/clock.hpp"
#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"
#include "devices/power_control.hpp"

namespace kvmbench {

class AcpiPm final : public Device {
 public:
  static constexpr std::uint64_t event_block = 0;
  static constexpr std::uint64_t control_block = 4;
  static constexpr std::uint64_t timer_block = 8;
  static constexpr std::uint64_t size = 12;
  /// SLP_TYPa of \_S5: what the DSDT must say. Any other type with SLP_EN does nothing: no other state is
  /// offered.
  static constexpr unsigned s5_sleep_type = 5;
  /// Ticks of PM_TMR a second (4.8.2.1); its 32 bits are all there (FADT flag TMR_VAL_EXT).
  static constexpr std::uint64_t timer_frequency = 3'579'545;

  /// `sci` is asserted while an enabled event is pending (level, 4.8.4.1).
  AcpiPm(InterruptLine& sci, PowerControl& power, const MonotonicClock& clock) noexcept;

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "acpi-pm"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

  /// Sets PWRBTN_STS: asks the guest to shut down. Any thread.
  void press_power_button() noexcept;

 private:
  /// Ticks since the clock's start; PM_TMR is their low 32 bits.
  [[nodiscard]] std::uint64_t ticks() const noexcept;
  void note_timer_carry(std::uint64_t ticks) noexcept;
  [[nodiscard]] bool write_control(std::uint32_t value, std::uint32_t mask) noexcept;
  void drive_sci() noexcept;

  InterruptLine& sci_;
  PowerControl& power_;
  const MonotonicClock& clock_;

  std::mutex mutex_;
  std::uint32_t status_ = 0;
  std::uint32_t enable_ = 0;
  std::uint32_t control_ = 0;
  std::uint64_t carries_seen_;
  bool sci_asserted_ = false;
};

}  // namespace kvmbench
