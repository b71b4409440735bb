#include "devices/i8042.hpp"

#include <utility>

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

// Status register.
enum : std::uint8_t {
  output_buffer_full = 1u << 0,
  system_flag = 1u << 2,
  command_data = 1u << 3,
  not_inhibited = 1u << 4,
  general_time_out = 1u << 6,
};

// Command byte.
enum : std::uint8_t {
  keyboard_interrupt = 1u << 0,
  command_system_flag = 1u << 2,
  disable_auxiliary = 1u << 5,
  translate = 1u << 6,
  disable_keyboard = 1u << 4,
};

// Output port.
enum : std::uint8_t {
  not_reset = 1u << 0,
  gate_a20 = 1u << 1,
  output_full_line = 1u << 4,
};

// Commands. 0x20 to 0x3f and 0x60 to 0x7f read and write the controller's RAM, whose byte 0 is the command
// byte; 0xf0 to 0xff pulse the output port's low bits.
enum : std::uint8_t {
  read_ram = 0x20,
  write_ram = 0x60,
  ram_commands = 0xe0,
  auxiliary_disable = 0xa7,
  auxiliary_enable = 0xa8,
  auxiliary_test = 0xa9,
  self_test = 0xaa,
  interface_test = 0xab,
  keyboard_disable = 0xad,
  keyboard_enable = 0xae,
  read_input_port = 0xc0,
  read_output_port = 0xd0,
  write_output_port = 0xd1,
  write_keyboard_output = 0xd2,
  write_auxiliary_output = 0xd3,
  write_auxiliary = 0xd4,
  disable_a20 = 0xdd,
  enable_a20 = 0xdf,
  read_test_inputs = 0xe0,
  pulse = 0xf0,
};

constexpr std::uint8_t self_test_passed = 0x55;
constexpr std::uint8_t interface_test_passed = 0x00;
constexpr std::uint8_t clock_line_stuck_low = 0x01;
constexpr std::uint8_t keyboard_not_inhibited = 0x80;
constexpr std::uint8_t resend = 0xfe;

}  // namespace

I8042::I8042(InterruptLine& keyboard_line, PowerControl& power) noexcept
    : keyboard_line_(keyboard_line), power_(power) {
  ram_[0] = keyboard_interrupt | command_system_flag | disable_auxiliary | translate;
}

std::uint64_t I8042::read(std::uint64_t offset, unsigned width) noexcept {
  return read_bytes(offset, width, command_port + 1, [this](std::uint64_t at) -> std::uint8_t {
    const std::lock_guard lock(mutex_);
    if (at == data_port) return read_data();
    return at == command_port ? status() : 0xff;
  });
}

void I8042::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  write_bytes(offset, width, value, command_port + 1, [this](std::uint64_t at, std::uint8_t byte) {
    bool reset = false;
    {
      const std::lock_guard lock(mutex_);
      if (at == data_port) data(byte);
      if (at == command_port) command(byte);
      drive_line();
      reset = std::exchange(reset_requested_, false);
    }
    if (reset) power_.reset("i8042 reset line");
  });
}

std::string I8042::register_name(std::uint64_t offset, Direction direction) const {
  if (offset == data_port) return "DATA";
  if (offset == command_port) return direction == Direction::write ? "COMMAND" : "STATUS";
  return unnamed_register(offset);
}

std::uint8_t I8042::read_data() noexcept {
  output_full_ = false;
  timed_out_ = false;
  drive_line();
  return output_;
}

std::uint8_t I8042::status() const noexcept {
  unsigned status = not_inhibited;
  if (output_full_) status |= output_buffer_full;
  if ((ram_[0] & command_system_flag) != 0) status |= system_flag;
  if (last_write_was_command_) status |= command_data;
  if (timed_out_) status |= general_time_out;
  return static_cast<std::uint8_t>(status);
}

std::uint8_t I8042::output_port() const noexcept {
  unsigned port = not_reset;
  if (a20_) port |= gate_a20;
  if (output_full_) port |= output_full_line;
  return static_cast<std::uint8_t>(port);
}

void I8042::command(std::uint8_t value) noexcept {
  last_write_was_command_ = true;
  awaiting_data_ = 0;
  if ((value & ram_commands) == read_ram) return answer(ram_[value & ~ram_commands]);
  if ((value & ram_commands) == write_ram) {
    awaiting_data_ = value;
    return;
  }
  if (value >= pulse) {
    if ((value & not_reset) == 0) reset_requested_ = true;
    return;
  }
  const auto set_command_bit = [this](std::uint8_t bit) {
    ram_[0] = static_cast<std::uint8_t>(ram_[0] | bit);
  };
  const auto clear_command_bit = [this](std::uint8_t bit) {
    ram_[0] = static_cast<std::uint8_t>(ram_[0] & ~bit);
  };
  switch (value) {
    case auxiliary_disable:
      return set_command_bit(disable_auxiliary);
    case auxiliary_enable:
      return clear_command_bit(disable_auxiliary);
    case auxiliary_test:
      return answer(clock_line_stuck_low);
    case self_test:
      set_command_bit(command_system_flag);
      return answer(self_test_passed);
    case interface_test:
      return answer(interface_test_passed);
    case keyboard_disable:
      return set_command_bit(disable_keyboard);
    case keyboard_enable:
      return clear_command_bit(disable_keyboard);
    case read_input_port:
      return answer(keyboard_not_inhibited);
    case read_output_port:
      return answer(output_port());
    case write_output_port:
    case write_keyboard_output:
    case write_auxiliary_output:
    case write_auxiliary:
      awaiting_data_ = value;
      return;
    case disable_a20:
    case enable_a20:
      a20_ = value == enable_a20;
      return;
    case read_test_inputs:
      return answer(0);
    default:
      return;
  }
}

void I8042::data(std::uint8_t value) noexcept {
  last_write_was_command_ = false;
  const std::uint8_t command = std::exchange(awaiting_data_, std::uint8_t{0});
  if ((command & ram_commands) == write_ram) {
    ram_[command & ~ram_commands] = value;
    return;
  }
  switch (command) {
    case write_output_port:
      a20_ = (value & gate_a20) != 0;
      if ((value & not_reset) == 0) reset_requested_ = true;
      return;
    case write_keyboard_output:
    case write_auxiliary_output:
      return answer(value);
    default:  // for the keyboard, or after 0xd4 the auxiliary device: neither is there
      return answer(resend, true);
  }
}

void I8042::answer(std::uint8_t value, bool timed_out) noexcept {
  output_ = value;
  output_full_ = true;
  timed_out_ = timed_out;
}

void I8042::drive_line() noexcept {
  const bool asserted = output_full_ && (ram_[0] & keyboard_interrupt) != 0;
  if (asserted == line_asserted_) return;
  line_asserted_ = asserted;
  keyboard_line_.set(asserted);
}

}  // namespace kvmbench
