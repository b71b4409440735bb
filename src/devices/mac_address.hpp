/// An Ethernet address, in the order in which its bytes are on the wire.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace kvmbench {

struct MacAddress {
  static constexpr std::size_t size = 6;
  std::array<std::uint8_t, size> bytes{};

  /// The first bit on the wire: an address of a group of stations (IEEE 802, 8.2); all ones is everybody's.
  [[nodiscard]] constexpr bool multicast() const noexcept { return (bytes[0] & 1) != 0; }
  [[nodiscard]] constexpr bool broadcast() const noexcept {
    for (const std::uint8_t byte : bytes) {
      if (byte != 0xff) return false;
    }
    return true;
  }

  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
};

/// The one that the machine's card number `number` has unless it is given another: locally administered
/// (IEEE 802, 8.2), so that no vendor's card has it too.
[[nodiscard]] constexpr MacAddress default_mac_address(std::uint8_t number) noexcept {
  return {{0x02, 0x6b, 0x76, 0x6d, 0x62, number}};
}

/// The destination of a frame, which begins with it; zeros where the frame is shorter.
[[nodiscard]] constexpr MacAddress destination_of(std::span<const std::byte> frame) noexcept {
  MacAddress address;
  if (frame.size() < MacAddress::size) return address;
  for (std::size_t i = 0; i < MacAddress::size; ++i) address.bytes[i] = static_cast<std::uint8_t>(frame[i]);
  return address;
}

}  // namespace kvmbench
