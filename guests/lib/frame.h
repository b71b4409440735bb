/// Ethernet frames that ask a station for an answer, each with a number by which the answer is known.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum frame_protocol {
  protocol_udp,   ///< RFC 768, to port 7 (echo, RFC 862) from 0x4000 + slot; without a checksum
  protocol_icmp,  ///< RFC 792, echo request with the slot as identifier
  protocol_arp,   ///< RFC 826, requests; the number is the low 24 bits of the sender's address, 10.x.y.z
};

/// The least size of a frame whose payload has room for a number (pattern.h): UDP's and ICMP's begins at
/// byte 42.
enum { frame_least = 60 };

struct frame_addresses {
  uint8_t own[6], peer[6];
};

/// Lays out all of a request of `bytes` but what depends on its number. An ARP request has frame_least bytes.
void frame_build(uint8_t* frame, uint32_t bytes, enum frame_protocol protocol,
                 const struct frame_addresses* addresses, unsigned slot);

/// Numbers it, by which the payload changes.
void frame_number(uint8_t* frame, uint32_t bytes, enum frame_protocol protocol, uint64_t number);

/// The slot that an answer is for (for ARP, its number), or -1 where the frame is none of ours.
int64_t frame_slot(const uint8_t* frame, uint32_t bytes, enum frame_protocol protocol,
                   const struct frame_addresses* addresses);

/// Whether the answer to a request of `bytes` has all of its data.
bool frame_is_whole(const uint8_t* frame, uint32_t bytes, enum frame_protocol protocol,
                    uint32_t request_bytes, uint64_t number);

/// The question for the peer's address, and what an answer to it says.
void frame_build_question(uint8_t* frame, const struct frame_addresses* addresses);
bool frame_is_answer(const uint8_t* frame, uint32_t bytes, struct frame_addresses* addresses);
