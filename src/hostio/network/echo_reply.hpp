/// What the network of `--net echo` answers to a frame.
#pragma once

#include <cstddef>
#include <span>

#include "devices/mac_address.hpp"

namespace kvmbench::hostio {

/// The station that answers ARP requests and broadcasts.
inline constexpr MacAddress echo_mac_address = default_mac_address(0xff);

/// Makes the answer to `frame` of it, in place; returns its size, which is at most the frame's, or 0 where
/// there is none. Answered are, with whatever IPv4 address a host there would have:
/// - ARP requests (RFC 826), but for probes and announcements (RFC 5227), which ask about the sender's own
/// address;
/// - ICMP echo requests (RFC 792): the addresses reversed, the type echo reply, the data as it came;
/// - UDP datagrams (RFC 768): the addresses and the ports reversed.
/// Only well-formed ones: Ethernet II without a VLAN tag, all lengths and checksums right, no options, no
/// fragments, from one station to one. Padding behind a packet is left off.
[[nodiscard]] std::size_t make_echo_reply(std::span<std::byte> frame) noexcept;

}  // namespace kvmbench::hostio
