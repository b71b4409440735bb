#include "devices/pci_device.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace kvmbench {

namespace {

// Registers, by their dword (figure 6-1).
enum : unsigned {
  device_vendor = 0x00,
  status_command = 0x04,
  class_revision = 0x08,
  header_latency_cache = 0x0c,
  first_bar = 0x10,
  bars_end = 0x28,
  subsystem_ids = 0x2c,
  interrupts = 0x3c,
};

// Command and Status (6.2.2, 6.2.3).
enum : std::uint16_t {
  command_io_space = 1u << 0,
  command_memory_space = 1u << 1,
  command_bus_master = 1u << 2,
  command_serr_enable = 1u << 8,
  command_interrupt_disable = 1u << 10,

  status_interrupt = 1u << 3,
  status_66mhz_capable = 1u << 5,
  status_devsel_medium = 1u << 9,
};

constexpr std::uint32_t header_multifunction = 0x80u << 16;
constexpr std::uint32_t bar_is_io = 1;
constexpr std::uint32_t ports_end = 0x1'0000;

/// `before` with the bytes of `value` that `mask` names; what is not `writable` stays.
constexpr std::uint32_t merged(std::uint32_t before, std::uint32_t value, std::uint32_t mask,
                               std::uint32_t writable) noexcept {
  return (before & ~(mask & writable)) | (value & mask & writable);
}

constexpr std::uint8_t byte_of(std::uint32_t value, unsigned number) noexcept {
  return static_cast<std::uint8_t>(value >> (8 * number));
}

}  // namespace

PciDevice::PciDevice(const PciIdentity& identity)
    : identity_(identity), command_writable_(command_bus_master | command_serr_enable) {}

void PciDevice::add_memory_bar(unsigned index, BusWindow& window) {
  add_bar(index, window, false);
  command_writable_ |= command_memory_space;
}

void PciDevice::add_io_bar(unsigned index, BusWindow& window) {
  add_bar(index, window, true);
  command_writable_ |= command_io_space;
}

void PciDevice::add_bar(unsigned index, BusWindow& window, bool io) {
  // The low bits of a base address register are flags, 2 of them in I/O and 4 in memory space (6.2.5.1).
  const std::uint64_t least = io ? 4 : 16;
  if (index >= bars || bars_[index].window != nullptr || window.length() < least ||
      window.length() > (io ? 256 : std::uint64_t{1} << 31)) {
    throw std::logic_error(
        fmt::format("pci: no base address register {} for {:#x} bytes", index, window.length()));
  }
  bars_[index] = {&window, io, 0};
}

void PciDevice::connect(unsigned pin, InterruptLine& line) noexcept {
  interrupt_pin_ = static_cast<std::uint8_t>(pin);
  command_writable_ |= command_interrupt_disable;
  pin_.connect(line);
}

bool PciDevice::bus_master() const noexcept {
  return (command_.load(std::memory_order_acquire) & command_bus_master) != 0;
}

std::uint32_t PciDevice::read_config(unsigned offset) noexcept {
  switch (offset) {
    case device_vendor:
      return std::uint32_t{identity_.device} << 16 | identity_.vendor;
    case status_command: {
      std::uint32_t status = status_66mhz_capable | status_devsel_medium;
      if (pin_.asserted()) status |= status_interrupt;
      return status << 16 | command_.load(std::memory_order_relaxed);
    }
    case class_revision:
      return identity_.class_code << 8 | identity_.revision;
    case header_latency_cache:
      return (identity_.multifunction ? header_multifunction : 0) | std::uint32_t{latency_timer_} << 8 |
             cache_line_size_;
    case subsystem_ids:
      return std::uint32_t{identity_.subsystem} << 16 | identity_.subsystem_vendor;
    case interrupts:
      return std::uint32_t{interrupt_pin_} << 8 | interrupt_line_;
    default:
      break;
  }
  if (offset < first_bar || offset >= bars_end) return 0;
  const Bar& bar = bars_[(offset - first_bar) / 4];
  return bar.address | (bar.io ? bar_is_io : 0);
}

void PciDevice::write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept {
  switch (offset) {
    case status_command:
      write_command(value, mask);
      return;
    case header_latency_cache:
      cache_line_size_ = byte_of(merged(cache_line_size_, value, mask, 0xff), 0);
      latency_timer_ = byte_of(merged(std::uint32_t{latency_timer_} << 8, value, mask, 0xff00), 1);
      return;
    case interrupts:
      interrupt_line_ = byte_of(merged(interrupt_line_, value, mask, 0xff), 0);
      return;
    default:
      break;
  }
  if (offset < first_bar || offset >= bars_end) return;
  Bar& bar = bars_[(offset - first_bar) / 4];
  if (bar.window != nullptr) write_bar(bar, value, mask);
}

void PciDevice::write_command(std::uint32_t value, std::uint32_t mask) noexcept {
  // Status has no bit that is set here and cleared by a write.
  const auto command = static_cast<std::uint16_t>(
      merged(command_.load(std::memory_order_relaxed), value, mask, command_writable_));
  command_.store(command, std::memory_order_release);
  for (const Bar& bar : bars_) {
    if (bar.window != nullptr) decode(bar);
  }
  pin_.disable((command & command_interrupt_disable) != 0);
}

void PciDevice::write_bar(Bar& bar, std::uint32_t value, std::uint32_t mask) noexcept {
  // Bits below the size read as 0: so its size is found by writing ones (6.2.5.1).
  const auto writable = static_cast<std::uint32_t>(~(bar.window->length() - 1));
  bar.address = merged(bar.address, value, mask, writable);
  decode(bar);
}

void PciDevice::decode(const Bar& bar) const noexcept {
  const unsigned space = bar.io ? command_io_space : command_memory_space;
  const bool enabled = (command_.load(std::memory_order_relaxed) & space) != 0;
  if (enabled && (!bar.io || bar.address < ports_end)) {
    bar.window->place(bar.address);
  } else {
    bar.window->remove();
  }
}

void PciDevice::Pin::set(bool asserted) noexcept {
  const std::lock_guard lock(mutex_);
  asserted_ = asserted;
  if (line_ != nullptr) line_->set(asserted_ && !disabled_);
}

void PciDevice::Pin::disable(bool disabled) noexcept {
  const std::lock_guard lock(mutex_);
  disabled_ = disabled;
  if (line_ != nullptr) line_->set(asserted_ && !disabled_);
}

bool PciDevice::Pin::asserted() noexcept {
  const std::lock_guard lock(mutex_);
  return asserted_;
}

}  // namespace kvmbench
