#include "lib/frame.h"

#include "lib/cpu.h"
#include "lib/pattern.h"

// Offsets: Ethernet II; IPv4 (RFC 791) behind it; UDP and ICMP behind that, without IP options; ARP.
enum { ethernet_to = 0, ethernet_from = 6, ethernet_type = 12, ip_header = 14, ip_header_size = 20 };
enum {
  ip_version = ip_header,
  ip_length = ip_header + 2,
  ip_time_to_live = ip_header + 8,
  ip_protocol = ip_header + 9,
  ip_checksum = ip_header + 10,
  ip_from = ip_header + 12,
  ip_to = ip_header + 16,
  message = ip_header + ip_header_size,
  udp_from = message,
  udp_to = message + 2,
  udp_length = message + 4,
  icmp_type = message,
  icmp_checksum = message + 2,
  icmp_identifier = message + 4,
  payload = message + 8,
};
enum {
  arp_hardware = 14,
  arp_protocol = 16,
  arp_sizes = 18,
  arp_operation = 20,
  arp_sender_mac = 22,
  arp_sender_ip = 28,
  arp_target_mac = 32,
  arp_target_ip = 38,
  arp_end = 42
};
enum { type_ipv4 = 0x0800, type_arp = 0x0806, ip_icmp = 1, ip_udp = 17, port_echo = 7, port_first = 0x4000 };
enum { icmp_echo_request = 8, icmp_echo_reply = 0, arp_request = 1, arp_reply = 2 };

// RFC 5737's addresses for examples.
static const uint32_t own_ip = 0xc0000202, peer_ip = 0xc0000201;  // 192.0.2.2, 192.0.2.1
static const uint32_t arp_senders = 0x0a000000;

static void put16(uint8_t* at, unsigned value) {
  *(uint16_t*)at = __builtin_bswap16((uint16_t)value);
}
static void put32(uint8_t* at, uint32_t value) {
  *(uint32_t*)at = __builtin_bswap32(value);
}
static unsigned get16(const uint8_t* at) {
  return __builtin_bswap16(*(const uint16_t*)at);
}
static uint32_t get32(const uint8_t* at) {
  return __builtin_bswap32(*(const uint32_t*)at);
}

static bool same_mac(const uint8_t* left, const uint8_t* right) {
  return *(const uint32_t*)left == *(const uint32_t*)right &&
         *(const uint16_t*)(left + 4) == *(const uint16_t*)(right + 4);
}

static uint64_t payload_words(uint32_t bytes) {
  return (bytes - payload) / 8;
}

// RFC 1071, 2 (C): sums may be of wider words, and of the host's order. An odd byte at the end counts as if a
// zero followed.
static uint16_t internet_checksum(const uint8_t* at, uint32_t bytes) {
  uint64_t sum = 0;
  for (; bytes >= 4; bytes -= 4, at += 4) sum += *(const uint32_t*)at;
  if (bytes >= 2) sum += *(const uint16_t*)at;
  if (bytes & 1) sum += at[bytes - 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static void build_ethernet(uint8_t* frame, uint32_t bytes, const uint8_t* to, const uint8_t* from,
                           unsigned type) {
  for (unsigned i = 0; i < bytes; ++i) frame[i] = 0;
  copy_bytes(frame + ethernet_to, to, 6);
  copy_bytes(frame + ethernet_from, from, 6);
  put16(frame + ethernet_type, type);
}

static void build_arp(uint8_t* frame, const uint8_t* to, const uint8_t* from, uint32_t sender_ip) {
  build_ethernet(frame, frame_least, to, from, type_arp);
  put16(frame + arp_hardware, 1);
  put16(frame + arp_protocol, type_ipv4);
  put16(frame + arp_sizes, 6 << 8 | 4);
  put16(frame + arp_operation, arp_request);
  copy_bytes(frame + arp_sender_mac, from, 6);
  put32(frame + arp_sender_ip, sender_ip);
  put32(frame + arp_target_ip, peer_ip);
}

void frame_build(uint8_t* frame, uint32_t bytes, enum frame_protocol protocol,
                 const struct frame_addresses* addresses, unsigned slot) {
  if (protocol == protocol_arp) {
    build_arp(frame, addresses->peer, addresses->own, arp_senders);
    return;
  }
  build_ethernet(frame, bytes, addresses->peer, addresses->own, type_ipv4);
  frame[ip_version] = 0x45;
  put16(frame + ip_length, bytes - ip_header);
  frame[ip_time_to_live] = 64;
  frame[ip_protocol] = protocol == protocol_udp ? ip_udp : ip_icmp;
  put32(frame + ip_from, own_ip);
  put32(frame + ip_to, peer_ip);
  *(uint16_t*)(frame + ip_checksum) = internet_checksum(frame + ip_header, ip_header_size);
  if (protocol == protocol_udp) {
    put16(frame + udp_from, port_first + slot);
    put16(frame + udp_to, port_echo);
    put16(frame + udp_length, bytes - message);
  } else {
    frame[icmp_type] = icmp_echo_request;
    put16(frame + icmp_identifier, slot);
  }
}

void frame_number(uint8_t* frame, uint32_t bytes, enum frame_protocol protocol, uint64_t number) {
  if (protocol == protocol_arp) {
    put32(frame + arp_sender_ip, arp_senders | (uint32_t)number);
    return;
  }
  pattern_fill(frame + payload, payload_words(bytes), number, 0);
  if (protocol == protocol_udp) return;
  put16(frame + icmp_checksum, 0);
  *(uint16_t*)(frame + icmp_checksum) = internet_checksum(frame + message, bytes - message);
}

static int64_t arp_slot(const uint8_t* frame) {
  if (get16(frame + ethernet_type) != type_arp || get16(frame + arp_operation) != arp_reply) return -1;
  const uint32_t target = get32(frame + arp_target_ip);
  if (get32(frame + arp_sender_ip) != peer_ip || (target & 0xff000000) != arp_senders) return -1;
  return target & 0xffffff;
}

int64_t frame_slot(const uint8_t* frame, uint32_t bytes, enum frame_protocol protocol,
                   const struct frame_addresses* addresses) {
  if (bytes < payload || !same_mac(frame + ethernet_to, addresses->own)) return -1;
  if (protocol == protocol_arp) return arp_slot(frame);
  if (get16(frame + ethernet_type) != type_ipv4) return -1;
  if (get32(frame + ip_from) != peer_ip || get32(frame + ip_to) != own_ip) return -1;
  if (protocol == protocol_udp) {
    if (frame[ip_protocol] != ip_udp || get16(frame + udp_from) != port_echo) return -1;
    return (int64_t)get16(frame + udp_to) - port_first;
  }
  if (frame[ip_protocol] != ip_icmp || frame[icmp_type] != icmp_echo_reply) return -1;
  return get16(frame + icmp_identifier);
}

bool frame_is_whole(const uint8_t* frame, uint32_t bytes, enum frame_protocol protocol,
                    uint32_t request_bytes, uint64_t number) {
  if (protocol == protocol_arp) return (get32(frame + arp_target_ip) & 0xffffff) == number;
  if (bytes < request_bytes || get16(frame + ip_length) != request_bytes - ip_header) return false;
  if (protocol == protocol_udp && get16(frame + udp_length) != request_bytes - message) return false;
  if (protocol == protocol_icmp && internet_checksum(frame + message, request_bytes - message) != 0)
    return false;
  return pattern_check(frame + payload, payload_words(request_bytes), number, 0) < 0;
}

void frame_build_question(uint8_t* frame, const struct frame_addresses* addresses) {
  static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  build_arp(frame, broadcast, addresses->own, own_ip);
}

bool frame_is_answer(const uint8_t* frame, uint32_t bytes, struct frame_addresses* addresses) {
  if (bytes < arp_end || get16(frame + ethernet_type) != type_arp ||
      get16(frame + arp_operation) != arp_reply)
    return false;
  if (get32(frame + arp_sender_ip) != peer_ip || get32(frame + arp_target_ip) != own_ip) return false;
  copy_bytes(addresses->peer, frame + arp_sender_mac, 6);
  return true;
}
