/// The serial EEPROM of the controller: 64 words of 16 bits on a Microwire bus (chapter 5), read word by word
/// through EERD or bit by bit through EECD.
///
/// It holds the address and the identity that the controller loads at reset. It cannot be written: its
/// write-enable instruction, as all others but READ, does nothing, and it is always ready.
#pragma once

#include <array>
#include <cstdint>

#include "devices/mac_address.hpp"

namespace kvmbench::e1000 {

class Eeprom final {
 public:
  static constexpr unsigned words = 64;

  explicit Eeprom(const MacAddress& address) noexcept;

  [[nodiscard]] std::uint16_t word(unsigned address) const noexcept { return content_[address % words]; }

  /// EERD (13.4.4).
  [[nodiscard]] std::uint32_t read_eerd() const noexcept { return eerd_; }
  void write_eerd(std::uint32_t value) noexcept;

  /// EECD (13.4.3).
  [[nodiscard]] std::uint32_t read_eecd() const noexcept;
  void write_eecd(std::uint32_t value) noexcept;

  /// The registers, and the chip's state; its content stays.
  void reset() noexcept;

 private:
  void clock_in(bool bit) noexcept;
  void clock_out() noexcept;

  std::array<std::uint16_t, words> content_{};
  std::uint32_t eerd_ = 0;
  std::uint32_t eecd_ = 0;
  // Between a rising edge of CS and its falling one:
  std::uint32_t shifted_in_ = 0;  // start bit, opcode and address, as far as they have come
  bool reading_ = false;
  unsigned bit_ = 0;  // of the whole content, that comes next
  bool data_out_ = true;
};

}  // namespace kvmbench::e1000
