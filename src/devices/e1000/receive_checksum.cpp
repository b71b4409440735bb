#include "devices/e1000/receive_checksum.hpp"

#include "devices/e1000/internet_checksum.hpp"

namespace kvmbench::e1000 {

namespace {

constexpr std::size_t ethertype_at = 12, ethernet_header = 14, vlan_header = 4;
constexpr std::uint16_t ethertype_ipv4 = 0x0800, ethertype_vlan = 0x8100;
constexpr std::size_t least_ip_header = 20;
constexpr std::uint16_t more_fragments_or_offset = 0x3fff;
constexpr unsigned protocol_tcp = 6, protocol_udp = 17;
constexpr std::size_t least_tcp_header = 20;
constexpr std::size_t udp_checksum = 6, udp_header = 8;
constexpr std::uint16_t right = 0xffff;  // the sum over all, checksum included

std::span<const std::byte> ip_packet(std::span<const std::byte> frame) noexcept {
  std::size_t at = ethertype_at;
  if (frame.size() < ethernet_header + vlan_header) return {};
  if (load_be16(frame, at) == ethertype_vlan) at += vlan_header;
  if (load_be16(frame, at) != ethertype_ipv4) return {};
  return frame.subspan(at + 2);
}

void check_transport(std::span<const std::byte> packet, std::size_t header,
                     ReceiveChecksums& result) noexcept {
  const std::span<const std::byte> payload = packet.subspan(header);
  const auto protocol = std::to_integer<unsigned>(packet[9]);
  if (protocol == protocol_udp) {
    if (payload.size() < udp_header || load_be16(payload, udp_checksum) == 0) return;
  } else if (protocol != protocol_tcp || payload.size() < least_tcp_header) {
    return;
  }
  const std::uint32_t pseudo_header =
      ones_sum(packet.subspan(12, 8)) + protocol + static_cast<std::uint32_t>(payload.size());
  result.transport = true;
  result.transport_good = ones_sum(payload, pseudo_header) == right;
}

}  // namespace

ReceiveChecksums check_received(std::span<const std::byte> frame) noexcept {
  ReceiveChecksums result;
  const std::span<const std::byte> packet = ip_packet(frame);
  if (packet.size() < least_ip_header || std::to_integer<unsigned>(packet[0]) >> 4 != 4) return result;
  const std::size_t header = (std::to_integer<std::size_t>(packet[0]) & 0xf) * 4;
  if (header < least_ip_header || header > packet.size()) return result;
  result.ip = true;
  result.ip_good = ones_sum(packet.first(header)) == right;
  const std::size_t total = load_be16(packet, 2);
  const bool fragment = (load_be16(packet, 6) & more_fragments_or_offset) != 0;
  if (fragment || total < header || total > packet.size()) return result;
  check_transport(packet.first(total), header, result);
  return result;
}

}  // namespace kvmbench::e1000
