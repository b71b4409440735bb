/// The keyboard controller, ports 0x60 and 0x64, with neither keyboard nor mouse behind it. IBM PC AT
/// Technical Reference, "Keyboard Controller"; IBM PS/2 Hardware Interface Technical Reference for the
/// auxiliary port.
///
/// It is there for its reset and A20 lines, and to answer an operating system's probe at once. Linux
/// (drivers/input/serio/i8042.c) waits half a second, polling the status port, for each command that stays
/// unanswered, and a fifth of a second for each byte to a keyboard; a keyboard that is there costs it a dozen
/// commands more. So every command that has an answer is answered at once, and what is missing says so in the
/// way it would:
///  - a byte for the keyboard gives 0xfe (resend) with the time-out bit, as the controller does when no
///  keyboard
///    clocks it in;
///  - 0xd3, which on a controller with an auxiliary port loops a byte back as the port's, loops it back as
///  the
///    keyboard's, and 0xa9 finds the port's clock line stuck low: Linux then knows there is no auxiliary
///    port;
///  - translation is on in the command byte, as firmware leaves it, so that Linux does not probe for a mouse
///  on the
///    keyboard port.
#pragma once

#include <array>
#include <mutex>
#include <optional>

#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"
#include "devices/power_control.hpp"

namespace kvmbench {

class I8042 final : public Device {
 public:
  /// Offsets from port 0x60. Ports 0x61 to 0x63 are not this device's: attach it at 0x60 for 1 port and at
  /// 0x64 for 1 port with offset 4.
  static constexpr std::uint64_t data_port = 0;
  static constexpr std::uint64_t command_port = 4;

  /// `keyboard_line` is IRQ 1. No IRQ 12: there is no auxiliary port.
  I8042(InterruptLine& keyboard_line, PowerControl& power) noexcept;

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "i8042"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  [[nodiscard]] std::uint8_t read_data() noexcept;
  [[nodiscard]] std::uint8_t status() const noexcept;
  [[nodiscard]] std::uint8_t output_port() const noexcept;
  void command(std::uint8_t value) noexcept;
  void data(std::uint8_t value) noexcept;
  void answer(std::uint8_t value, bool timed_out = false) noexcept;
  void drive_line() noexcept;

  InterruptLine& keyboard_line_;
  PowerControl& power_;

  std::mutex mutex_;
  std::array<std::uint8_t, 32> ram_{};  // [0] is the command byte
  std::uint8_t output_ = 0;
  bool output_full_ = false;
  bool timed_out_ = false;
  bool last_write_was_command_ = false;
  bool a20_ = true;
  std::uint8_t awaiting_data_ = 0;  // the command whose parameter the next data byte is, or 0
  bool line_asserted_ = false;
  bool reset_requested_ = false;
};

}  // namespace kvmbench
