#include "devices/e1000/eeprom.hpp"

#include <bit>

namespace kvmbench::e1000 {

namespace {

// EECD (table 13-7).
enum : std::uint32_t {
  ee_sk = 1u << 0,
  ee_cs = 1u << 1,
  ee_di = 1u << 2,
  ee_do = 1u << 3,
  ee_fwe_disabled = 1u << 4,
  ee_fwe = 3u << 4,
  ee_req = 1u << 6,
  ee_gnt = 1u << 7,
  ee_pres = 1u << 8,
  eecd_writable = ee_sk | ee_cs | ee_di | ee_fwe | ee_req,  // EE_SIZE stays 0: 64 words
};
// EERD (table 13-8).
enum : std::uint32_t { eerd_start = 1u << 0, eerd_done = 1u << 4 };
constexpr unsigned eerd_address_shift = 8, eerd_data_shift = 16;

// An instruction of a 93C46 in its 16-bit organisation: a start bit, two of opcode, six of address.
constexpr unsigned instruction_bits = 9, address_bits = 6;
constexpr std::uint32_t opcode_read = 0b110;  // with the start bit

// The map of its words (table 5-2), and the sum of the first 64 (5.6.35).
enum : unsigned {
  ethernet_address = 0x00,
  init_control_1 = 0x0a,
  subsystem_id = 0x0b,
  subsystem_vendor_id = 0x0c,
  device_id = 0x0d,
  vendor_id = 0x0e,
  init_control_2 = 0x0f,
  checksum_word = 0x3f,
};
constexpr std::uint16_t checksum = 0xbaba;

}  // namespace

Eeprom::Eeprom(const MacAddress& address) noexcept {
  for (unsigned i = 0; i < MacAddress::size / 2; ++i) {
    content_[ethernet_address + i] =
        static_cast<std::uint16_t>(address.bytes[2 * i] | address.bytes[2 * i + 1] << 8);
  }
  content_[init_control_1] = 0x4408;  // signature 01b (5.6.6); the IDs below are loaded
  content_[subsystem_id] = 0x001e;    // PRO/1000 MT Desktop Adapter
  content_[subsystem_vendor_id] = 0x8086;
  content_[device_id] = 0x100e;
  content_[vendor_id] = 0x8086;
  content_[init_control_2] = 0x3040;
  std::uint16_t sum = 0;
  for (const std::uint16_t word : content_) sum = static_cast<std::uint16_t>(sum + word);
  content_[checksum_word] = static_cast<std::uint16_t>(checksum - sum);
  reset();
}

void Eeprom::write_eerd(std::uint32_t value) noexcept {
  if ((value & eerd_start) == 0) {
    eerd_ = value & ~std::uint32_t{eerd_done};
    return;
  }
  const unsigned address = value >> eerd_address_shift & 0xff;
  const std::uint32_t data = address < words ? content_[address] : 0xffff;
  eerd_ = data << eerd_data_shift | address << eerd_address_shift | eerd_done;
}

std::uint32_t Eeprom::read_eecd() const noexcept {
  // Access is granted as soon as it is requested (13.4.3, EE_GNT).
  std::uint32_t value = eecd_ | ee_pres;
  if ((eecd_ & ee_req) != 0) value |= ee_gnt;
  if (data_out_) value |= ee_do;
  return value;
}

void Eeprom::write_eecd(std::uint32_t value) noexcept {
  const std::uint32_t before = eecd_;
  eecd_ = value & eecd_writable;
  const std::uint32_t rising = eecd_ & ~before;
  if ((eecd_ & ee_cs) == 0 || (rising & ee_cs) != 0) {
    shifted_in_ = 0;
    reading_ = false;
    data_out_ = true;  // pulled up
  }
  if ((eecd_ & ee_cs) == 0 || (rising & ee_sk) == 0) return;
  if (reading_) {
    clock_out();
  } else {
    clock_in((eecd_ & ee_di) != 0);
  }
}

/// Zeros before the start bit do not count, and bits after an instruction that does nothing neither.
void Eeprom::clock_in(bool bit) noexcept {
  if (shifted_in_ >> (instruction_bits - 1) != 0) return;
  shifted_in_ = shifted_in_ << 1 | (bit ? 1u : 0u);
  if (shifted_in_ >> address_bits != opcode_read) return;
  reading_ = true;
  bit_ = (shifted_in_ & (words - 1)) * 16;
  data_out_ = false;  // the dummy bit before the data
}

/// The highest bit of a word first; after its last, the next word follows.
void Eeprom::clock_out() noexcept {
  data_out_ = (content_[bit_ / 16] >> (15 - bit_ % 16) & 1) != 0;
  bit_ = (bit_ + 1) % (words * 16);
}

void Eeprom::reset() noexcept {
  eerd_ = 0;
  eecd_ = ee_fwe_disabled;
  shifted_in_ = 0;
  reading_ = false;
  data_out_ = true;
}

}  // namespace kvmbench::e1000
