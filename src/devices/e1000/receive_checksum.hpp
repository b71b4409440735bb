/// The checksums of a received IPv4 packet (3.2.9; table 3-5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kvmbench::e1000 {

/// Of IP's header and of TCP or UDP: whether the packet has it, and whether it is right.
struct ReceiveChecksums {
  bool ip = false;
  bool ip_good = false;
  bool transport = false;
  bool transport_good = false;
};

/// `frame` as it will be stored. Neither of the two for what is not IPv4 in an Ethernet II frame
/// (with one VLAN tag or none), and no transport checksum for a fragment, a packet that is cut short, or a
/// UDP packet that has none. IPv6 is left to software.
[[nodiscard]] ReceiveChecksums check_received(std::span<const std::byte> frame) noexcept;

}  // namespace kvmbench::e1000
