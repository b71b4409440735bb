#include "devices/io_apic.hpp"

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

constexpr RegisterPlace ioregsel{0x00, 4};
constexpr RegisterPlace iowin{0x10, 4};

// Registers behind IOREGSEL (3.2).
enum : std::uint8_t { ioapicid = 0x00, ioapicver = 0x01, ioapicarb = 0x02, ioredtbl = 0x10 };

constexpr unsigned id_shift = 24;
constexpr std::uint8_t id_bits = 0x0f;
constexpr std::uint32_t version = 0x11;
constexpr std::uint32_t version_register = (IoApic::pins - 1) << 16 | version;

// A redirection table entry (3.2.4).
enum : std::uint64_t {
  vector_bits = 0xff,
  delivery_mode_shift = 8,
  delivery_mode_bits = 7,
  destination_mode = 1u << 11,
  remote_irr = 1u << 14,
  level_triggered = 1u << 15,
  interrupt_mask = 1u << 16,
  destination_shift = 56,
  writable = 0xff00'0000'0001'afff,  // all but Delivery Status, Remote IRR and the reserved bits
};
enum : std::uint64_t { fixed = 0, lowest_priority = 1 };

// Message format (Intel SDM vol. 3, 10.11).
constexpr std::uint64_t message_address = 0xfee0'0000;
constexpr unsigned message_destination_shift = 12;
constexpr std::uint64_t message_destination_logical = 1u << 2;
enum : std::uint32_t { message_assert = 1u << 14, message_level = 1u << 15 };

struct Message {
  std::uint64_t address;
  std::uint32_t data;

  friend bool operator==(const Message&, const Message&) = default;
};

/// Only fixed and lowest-priority interrupts may be level-triggered; the other modes are edges (3.2.4,
/// DELMOD).
bool is_level(std::uint64_t entry) noexcept {
  const std::uint64_t mode = entry >> delivery_mode_shift & delivery_mode_bits;
  return (entry & level_triggered) != 0 && (mode == fixed || mode == lowest_priority);
}

bool is_masked(std::uint64_t entry) noexcept {
  return (entry & interrupt_mask) != 0;
}

Message message_of(std::uint64_t entry) noexcept {
  Message message{
      message_address | entry >> destination_shift << message_destination_shift,
      static_cast<std::uint32_t>(entry & (vector_bits | delivery_mode_bits << delivery_mode_shift))};
  if ((entry & destination_mode) != 0) message.address |= message_destination_logical;
  if (is_level(entry)) message.data |= message_level | message_assert;
  return message;
}

}  // namespace

IoApic::IoApic(MessageSink& sink) : sink_(sink) {
  pins_.reserve(pins);
  for (unsigned number = 0; number < pins; ++number) pins_.emplace_back(*this, number);
  entries_.fill(interrupt_mask);
}

std::uint64_t IoApic::read(std::uint64_t offset, unsigned width) noexcept {
  const std::lock_guard lock(mutex_);
  const std::uint64_t value = read_from(ioregsel, index_, offset, width, all_ones(width));
  return reaches(iowin, offset, width) ? read_from(iowin, read_indirect(), offset, width, value) : value;
}

void IoApic::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  const RegisterWrite select = written_to(ioregsel, offset, width, value);
  const RegisterWrite window = written_to(iowin, offset, width, value);
  const std::lock_guard lock(mutex_);
  if ((select.mask & 0xff) != 0) index_ = static_cast<std::uint8_t>(select.value);
  if (window.mask != 0) write_indirect(window.value, window.mask);
}

std::string IoApic::register_name(std::uint64_t offset, Direction) const {
  if (reaches(ioregsel, offset, 1)) return "IOREGSEL";
  if (reaches(iowin, offset, 1)) return "IOWIN";
  return unnamed_register(offset);
}

void IoApic::end_of_interrupt(std::uint8_t vector) noexcept {
  const std::lock_guard lock(mutex_);
  for (unsigned number = 0; number < pins; ++number) {
    std::uint64_t& entry = entries_[number];
    if ((entry & remote_irr) == 0 || (entry & vector_bits) != vector) continue;
    entry &= ~std::uint64_t{remote_irr};
    service_level(number);
  }
}

void IoApic::set_pin(unsigned number, bool asserted) noexcept {
  const std::lock_guard lock(mutex_);
  const bool edge = asserted && !asserted_[number];
  asserted_[number] = asserted;
  const std::uint64_t entry = entries_[number];
  if (is_level(entry)) {
    service_level(number);
  } else if (edge && !is_masked(entry)) {  // an edge on a masked pin is lost (3.2.4, interrupt mask)
    const Message message = message_of(entry);
    sink_.send(message.address, message.data);
  }
}

std::uint32_t IoApic::read_indirect() const noexcept {
  switch (index_) {
    case ioapicid:
      return std::uint32_t{id_} << id_shift;
    case ioapicver:
      return version_register;
    case ioapicarb:
      return std::uint32_t{arbitration_id_} << id_shift;
    default:
      break;
  }
  if (index_ < ioredtbl || index_ >= ioredtbl + 2 * pins) return 0;
  const std::uint64_t entry = entries_[(index_ - ioredtbl) / 2u];
  return static_cast<std::uint32_t>(index_ % 2 == 0 ? entry : entry >> 32);
}

void IoApic::write_indirect(std::uint32_t value, std::uint32_t mask) noexcept {
  if (index_ == ioapicid && mask >> id_shift != 0) {
    id_ = static_cast<std::uint8_t>(value >> id_shift) & id_bits;
    arbitration_id_ = id_;  // loaded with the ID (3.2.3)
  }
  if (index_ < ioredtbl || index_ >= ioredtbl + 2 * pins) return;
  const unsigned half = index_ % 2 == 0 ? 0 : 32;
  write_entry((index_ - ioredtbl) / 2u, std::uint64_t{value} << half, std::uint64_t{mask} << half);
}

void IoApic::write_entry(unsigned number, std::uint64_t value, std::uint64_t mask) noexcept {
  std::uint64_t& entry = entries_[number];
  const std::uint64_t before = entry;
  mask &= writable;
  entry = (before & ~mask) | (value & mask);
  // Remote IRR means nothing on an edge-triggered pin. Operating systems turn a pin to edge and back to clear
  // it.
  if (!is_level(entry)) entry &= ~std::uint64_t{remote_irr};
  const Message message = message_of(entry);
  if (message != message_of(before) || is_masked(entry) != is_masked(before)) {
    sink_.route(number, message.address, message.data, is_masked(entry));
  }
  service_level(number);
}

void IoApic::service_level(unsigned number) noexcept {
  std::uint64_t& entry = entries_[number];
  if (!is_level(entry) || !asserted_[number] || is_masked(entry) || (entry & remote_irr) != 0) return;
  entry |= remote_irr;
  const Message message = message_of(entry);
  sink_.send(message.address, message.data);
}

}  // namespace kvmbench
