/// The checksum of IPv4, ICMP, UDP and TCP (RFC 1071).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kvmbench::hostio {

/// The ones' complement sum of big-endian 16-bit words, not folded; an odd byte at the end is the high one of
/// a word. `sum` is that of words before. Bytes: at most max_frame_size.
[[nodiscard]] constexpr std::uint32_t internet_sum(std::span<const std::byte> bytes,
                                                   std::uint32_t sum = 0) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  }
  return sum;
}

/// The checksum to be stored where the sum was made with zero there; 0 where it was made with the right one.
[[nodiscard]] constexpr std::uint16_t internet_checksum(std::uint32_t sum) noexcept {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace kvmbench::hostio
