#include "devices/ata/identify.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace kvmbench::ata {
namespace {

constexpr std::string_view model = "kvmbench ATA disk";
constexpr std::string_view firmware = "1.0";

class Words {
 public:
  void set(std::size_t word, std::uint64_t value) noexcept {
    bytes_[2 * word] = static_cast<std::uint8_t>(value);
    bytes_[2 * word + 1] = static_cast<std::uint8_t>(value >> 8);
  }
  /// `count` words, the lowest first.
  void set_wide(std::size_t word, std::size_t count, std::uint64_t value) noexcept {
    for (std::size_t i = 0; i < count; ++i) set(word + i, value >> (16 * i));
  }
  /// The first character of each pair is the high byte; padded with spaces.
  void set_text(std::size_t word, std::size_t words, std::string_view text) noexcept {
    for (std::size_t i = 0; i < 2 * words; ++i) {
      bytes_[2 * word + (i ^ 1)] = static_cast<std::uint8_t>(i < text.size() ? text[i] : ' ');
    }
  }
  /// With the integrity word: all bytes together add up to 0.
  [[nodiscard]] std::array<std::uint8_t, 512> sealed() noexcept {
    bytes_[510] = 0xa5;
    bytes_[511] = 0;
    const unsigned sum = std::accumulate(bytes_.begin(), bytes_.end(), 0u);
    bytes_[511] = static_cast<std::uint8_t>(0u - sum);
    return bytes_;
  }

 private:
  std::array<std::uint8_t, 512> bytes_{};
};

void set_addressing(Words& words, const Identity& identity) noexcept {
  words.set(1, identity.default_geometry.cylinders);
  words.set(3, identity.default_geometry.heads);
  words.set(6, identity.default_geometry.sectors_per_track);
  words.set(54, identity.current_geometry.cylinders);
  words.set(55, identity.current_geometry.heads);
  words.set(56, identity.current_geometry.sectors_per_track);
  words.set_wide(57, 2, identity.current_geometry.sectors());
  words.set_wide(60, 2, std::min<std::uint64_t>(identity.sectors, 0x0fff'ffff));  // what 28 bits reach
  words.set_wide(100, 4, identity.sectors);
}

void set_features(Words& words, const Identity& identity) noexcept {
  constexpr unsigned nop = 1 << 14, look_ahead = 1 << 6, write_cache = 1 << 5, power_management = 1 << 3;
  constexpr unsigned valid = 1 << 14;  // bits 15:14 are 01 where the word means something
  constexpr unsigned flush_ext = 1 << 13, flush = 1 << 12, address48 = 1 << 10;
  words.set(82, nop | look_ahead | write_cache | power_management);
  words.set(83, valid | flush_ext | flush | address48);
  words.set(84, valid);
  words.set(85, nop | (identity.look_ahead ? look_ahead : 0) | (identity.write_cache ? write_cache : 0) |
                    power_management);
  words.set(86, flush_ext | flush | address48);
  words.set(87, valid);
}

}  // namespace

std::array<std::uint8_t, 512> identify(const Identity& identity) noexcept {
  Words words;
  words.set(0, 0x0040);  // an ATA device, not removable
  words.set(2, 0xc837);  // spins up by itself, and this answer is complete
  words.set_text(10, 10, identity.serial);
  words.set_text(23, 4, firmware);
  words.set_text(27, 20, model);
  words.set(47, 0x8000 | max_multiple);
  words.set(49, 0x0e00);  // IORDY, which may be disabled; LBA; no DMA
  words.set(50, 0x4000);
  words.set(53, 0x0003);  // words 54 to 58 and 64 to 70 mean something
  words.set(59, identity.multiple != 0 ? 0x0100u | identity.multiple : 0);
  words.set(64, 0x0003);  // PIO modes 3 and 4
  words.set(67, 120);     // nanoseconds a cycle without IORDY, and with it: those of PIO mode 4
  words.set(68, 120);
  words.set(80, 0x0070);  // ATA/ATAPI-4, -5 and -6
  set_addressing(words, identity);
  set_features(words, identity);
  return words.sealed();
}

}  // namespace kvmbench::ata
