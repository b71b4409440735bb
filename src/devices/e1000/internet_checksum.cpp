#include "devices/e1000/internet_checksum.hpp"

#include <bit>
#include <cstring>

namespace kvmbench::e1000 {

// The sum of words in the wrong byte order is the sum in the wrong byte order (RFC 1071, 2B), and wide words
// may be added, their carries folded in the end (2A): so it goes 4 bytes at a time, and is turned once.
std::uint16_t ones_sum(std::span<const std::byte> bytes, std::uint32_t initial) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; bytes.size() - at >= 4; at += 4) {
    std::uint32_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    sum += word;
  }
  std::uint32_t last = 0;
  if (at < bytes.size()) std::memcpy(&last, bytes.data() + at, bytes.size() - at);
  sum += last;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  std::uint32_t turned = static_cast<std::uint32_t>((sum & 0xff) << 8 | sum >> 8) + initial;
  while (turned >> 16 != 0) turned = (turned & 0xffff) + (turned >> 16);
  return static_cast<std::uint16_t>(turned);
}

}  // namespace kvmbench::e1000
