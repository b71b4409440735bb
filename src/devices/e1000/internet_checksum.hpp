/// The checksum of IP, TCP and UDP (RFC 1071), and loads and stores in the order of the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kvmbench::e1000 {

[[nodiscard]] inline std::uint16_t load_be16(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8 |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}
inline void store_be16(std::span<std::byte> bytes, std::size_t at, std::uint16_t value) noexcept {
  bytes[at] = static_cast<std::byte>(value >> 8);
  bytes[at + 1] = static_cast<std::byte>(value & 0xff);
}
[[nodiscard]] inline std::uint32_t load_be32(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return std::uint32_t{load_be16(bytes, at)} << 16 | load_be16(bytes, at + 2);
}
inline void store_be32(std::span<std::byte> bytes, std::size_t at, std::uint32_t value) noexcept {
  store_be16(bytes, at, static_cast<std::uint16_t>(value >> 16));
  store_be16(bytes, at + 2, static_cast<std::uint16_t>(value & 0xffff));
}

/// The ones' complement sum of 16-bit words, an odd last byte being the high one of a word. Not inverted:
/// what a receiver finds to be 0xffff.
[[nodiscard]] std::uint16_t ones_sum(std::span<const std::byte> bytes, std::uint32_t initial = 0) noexcept;

}  // namespace kvmbench::e1000
