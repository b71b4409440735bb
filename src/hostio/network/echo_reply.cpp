#include "hostio/network/echo_reply.hpp"

#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include <cstdint>
#include <cstring>
#include <utility>

#include "hostio/network/internet_checksum.hpp"

namespace kvmbench::hostio {
namespace {

using Bytes = std::span<std::byte>;

// Sizes of headers, without options.
constexpr std::size_t ethernet_size = sizeof(ether_header);
constexpr std::size_t arp_size = sizeof(ether_arp);
constexpr std::size_t ip_size = sizeof(iphdr);
constexpr std::size_t icmp_size = sizeof(icmphdr);
constexpr std::size_t udp_size = sizeof(udphdr);

/// A header at the beginning of `bytes`, which has it.
template <class Header>
Header load(std::span<const std::byte> bytes) noexcept {
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

template <class Header>
void store(Bytes bytes, const Header& header) noexcept {
  std::memcpy(bytes.data(), &header, sizeof header);
}

/// Whether an IPv4 address, in network order, is one host's.
bool unicast(std::uint32_t address) noexcept {
  const std::uint32_t host = ntohl(address);
  return host != INADDR_ANY && !IN_MULTICAST(host) && !IN_BADCLASS(host);
}

/// The answer goes back to where the frame came from.
void turn_around(Bytes frame) noexcept {
  auto header = load<ether_header>(frame);
  const bool to_all = destination_of(frame).multicast();
  std::swap(header.ether_dhost, header.ether_shost);
  if (to_all) std::memcpy(header.ether_shost, echo_mac_address.bytes.data(), MacAddress::size);
  store(frame, header);
}

std::size_t answer_arp(Bytes frame) noexcept {
  if (frame.size() < ethernet_size + arp_size) return 0;
  const Bytes packet = frame.subspan(ethernet_size);
  auto arp = load<ether_arp>(packet);
  if (arp.arp_hrd != htons(ARPHRD_ETHER) || arp.arp_pro != htons(ETHERTYPE_IP)) return 0;
  if (arp.arp_hln != MacAddress::size || arp.arp_pln != sizeof(in_addr)) return 0;
  if (arp.arp_op != htons(ARPOP_REQUEST)) return 0;
  std::uint32_t sender = 0, target = 0;
  std::memcpy(&sender, arp.arp_spa, sizeof sender);
  std::memcpy(&target, arp.arp_tpa, sizeof target);
  if (!unicast(sender) || !unicast(target) || sender == target) return 0;

  arp.arp_op = htons(ARPOP_REPLY);
  std::memcpy(arp.arp_tha, arp.arp_sha, sizeof arp.arp_tha);
  std::memcpy(arp.arp_sha, echo_mac_address.bytes.data(), sizeof arp.arp_sha);
  std::swap(arp.arp_spa, arp.arp_tpa);
  store(packet, arp);
  turn_around(frame);
  return ethernet_size + arp_size;
}

bool answer_icmp(Bytes message) noexcept {
  if (message.size() < icmp_size) return false;
  auto icmp = load<icmphdr>(message);
  if (icmp.type != ICMP_ECHO || icmp.code != 0) return false;
  if (internet_checksum(internet_sum(message)) != 0) return false;
  icmp.type = ICMP_ECHOREPLY;
  icmp.checksum = 0;
  store(message, icmp);
  icmp.checksum = htons(internet_checksum(internet_sum(message)));
  store(message, icmp);
  return true;
}

/// The sum over the pseudo header (RFC 768). Reversing addresses and ports does not change the checksum.
std::uint32_t pseudo_header_sum(const iphdr& ip, std::size_t length) noexcept {
  const std::uint32_t addresses[] = {ip.saddr, ip.daddr};
  return internet_sum(std::as_bytes(std::span(addresses)),
                      std::uint32_t{ip.protocol} + static_cast<std::uint32_t>(length));
}

bool answer_udp(const iphdr& ip, Bytes datagram) noexcept {
  if (datagram.size() < udp_size) return false;
  auto udp = load<udphdr>(datagram);
  if (ntohs(udp.len) != datagram.size()) return false;
  const bool checked = udp.check != 0;
  if (checked && internet_checksum(internet_sum(datagram, pseudo_header_sum(ip, datagram.size()))) != 0) {
    return false;
  }
  std::swap(udp.source, udp.dest);
  store(datagram, udp);
  return true;
}

bool well_formed(const iphdr& ip, std::span<const std::byte> packet) noexcept {
  return ip.version == IPVERSION && ip.ihl * 4 == ip_size && ntohs(ip.tot_len) >= ip_size &&
         ntohs(ip.tot_len) <= packet.size() && (ntohs(ip.frag_off) & (IP_MF | IP_OFFMASK)) == 0 &&
         internet_checksum(internet_sum(packet.first(ip_size))) == 0;
}

std::size_t answer_ip(Bytes frame) noexcept {
  if (frame.size() < ethernet_size + ip_size || destination_of(frame).multicast()) return 0;
  Bytes packet = frame.subspan(ethernet_size);
  auto ip = load<iphdr>(packet);
  if (!well_formed(ip, packet) || !unicast(ip.saddr) || !unicast(ip.daddr)) return 0;
  packet = packet.first(ntohs(ip.tot_len));
  const Bytes payload = packet.subspan(ip_size);
  const bool answered = (ip.protocol == IPPROTO_ICMP && answer_icmp(payload)) ||
                        (ip.protocol == IPPROTO_UDP && answer_udp(ip, payload));
  if (!answered) return 0;
  std::swap(ip.saddr, ip.daddr);  // which the header's checksum stays right for
  store(packet, ip);
  turn_around(frame);
  return ethernet_size + packet.size();
}

}  // namespace

std::size_t make_echo_reply(Bytes frame) noexcept {
  if (frame.size() < ethernet_size) return 0;
  const auto header = load<ether_header>(frame);
  if ((header.ether_shost[0] & 1) != 0) return 0;  // no station's
  switch (ntohs(header.ether_type)) {
    case ETHERTYPE_ARP:
      return answer_arp(frame);
    case ETHERTYPE_IP:
      return answer_ip(frame);
    default:
      return 0;
  }
}

}  // namespace kvmbench::hostio
