#include "hostio/network/echo_reply.hpp"

#include <catch2/catch.hpp>

#include "frames.hpp"
#include "hostio/network/internet_checksum.hpp"

using namespace kvmbench::hostio;

namespace {

// Ethernet, then the packet: what station 02:6b:76:6d:62:00, 10.0.2.15, sends to 10.0.2.2.
constexpr const char* arp_request =
    "ffff ffff ffff 026b 766d 6200 0806"
    "0001 0800 06 04 0001 026b 766d 6200 0a00 020f 0000 0000 0000 0a00 0202";
constexpr const char* echo_request =
    "026b 766d 62ff 026b 766d 6200 0800"
    "4500 0023 1234 4000 4001 1096 0a00 020f 0a00 0202"
    "0800 66ca 0007 0001 6162 6364 6566 67";
constexpr const char* datagram =
    "026b 766d 62ff 026b 766d 6200 0800"
    "4500 0021 1234 4000 4011 1088 0a00 020f 0a00 0202"
    "1234 0007 000d 91b6 6865 6c6c 6f";

// Where fields begin.
constexpr std::size_t ethernet_destination = 0, ethernet_source = 6, arp = 14, ip = 14, payload = 34;

Bytes reply_to(Bytes frame) {
  frame.resize(make_echo_reply(frame));
  return frame;
}

Bytes with(const char* frame, std::size_t at, const char* bytes) {
  Bytes changed = hex(frame);
  const Bytes replacement = hex(bytes);
  std::copy(replacement.begin(), replacement.end(), changed.begin() + static_cast<std::ptrdiff_t>(at));
  return changed;
}

/// With the IPv4 header's checksum made right.
Bytes with_ip(const char* frame, std::size_t at, const char* bytes) {
  Bytes changed = with(frame, ip + at, bytes);
  const std::span header = std::span(changed).subspan(ip, 20);
  header[10] = header[11] = {};
  const std::uint16_t checksum = internet_checksum(internet_sum(header));
  header[10] = static_cast<std::byte>(checksum >> 8);
  header[11] = static_cast<std::byte>(checksum & 0xff);
  return changed;
}

}  // namespace

TEST_CASE("the checksum of RFC 1071's example is that of its section 3") {
  const Bytes example = hex("0001 f203 f4f5 f6f7");
  CHECK(internet_sum(example) == 0x2ddf0);
  CHECK(internet_checksum(internet_sum(example)) == 0x220d);  // the complement of 0xddf2
}

TEST_CASE("an odd byte at the end is summed as if a zero followed") {
  CHECK(internet_sum(hex("0001 f2")) == 0xf201);
  CHECK(internet_sum({}) == 0);
  CHECK(internet_checksum(0) == 0xffff);
}

TEST_CASE("an ARP request is answered with the network's own address") {
  CHECK(reply_to(hex(arp_request)) == hex("026b 766d 6200 026b 766d 62ff 0806"
                                          "0001 0800 06 04 0002 026b 766d 62ff 0a00 0202"
                                          "026b 766d 6200 0a00 020f"));
}

TEST_CASE("an echo request is answered by the same data, reversed addresses and a new checksum") {
  CHECK(reply_to(hex(echo_request)) == hex("026b 766d 6200 026b 766d 62ff 0800"
                                           "4500 0023 1234 4000 4001 1096 0a00 0202 0a00 020f"
                                           "0000 6eca 0007 0001 6162 6364 6566 67"));
}

TEST_CASE("a datagram comes back with addresses and ports reversed, and its checksum") {
  CHECK(reply_to(hex(datagram)) == hex("026b 766d 6200 026b 766d 62ff 0800"
                                       "4500 0021 1234 4000 4011 1088 0a00 0202 0a00 020f"
                                       "0007 1234 000d 91b6 6865 6c6c 6f"));
}

TEST_CASE("a datagram without a checksum comes back without one") {
  const Bytes reply = reply_to(with(datagram, payload + 6, "0000"));
  REQUIRE(reply.size() == 47);
  CHECK(reply[payload + 6] == std::byte{0});
  CHECK(reply[payload + 7] == std::byte{0});
}

TEST_CASE("padding behind a packet is left off the answer") {
  for (const char* frame : {arp_request, echo_request, datagram}) {
    Bytes padded = hex(frame);
    const std::size_t size = padded.size();
    padded.resize(60, std::byte{0xee});
    CHECK(reply_to(padded).size() == size);
    CHECK(reply_to(padded) == reply_to(hex(frame)));
  }
}

TEST_CASE("a frame to another station is answered by that one") {
  const Bytes reply = reply_to(with(echo_request, ethernet_destination, "0200 0000 0042"));
  REQUIRE(reply.size() == 49);
  CHECK(Bytes(reply.begin() + 6, reply.begin() + 12) == hex("0200 0000 0042"));
}

TEST_CASE("what is cut short anywhere is not answered") {
  for (const char* frame : {arp_request, echo_request, datagram}) {
    const Bytes whole = hex(frame);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK(reply_to(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).empty());
    }
  }
}

TEST_CASE("a wrong bit in what a checksum covers is not answered") {
  for (const char* frame : {echo_request, datagram}) {
    const Bytes right = hex(frame);
    for (std::size_t bit = ip * 8; bit < right.size() * 8; ++bit) {
      Bytes wrong = right;
      wrong[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      CHECK(reply_to(wrong).empty());
    }
  }
}

TEST_CASE("ARP probes, announcements, answers and other protocols' requests are not answered") {
  CHECK(reply_to(with(arp_request, arp + 14, "0000 0000")).empty());  // a probe (RFC 5227, 2.1.1)
  CHECK(reply_to(with(arp_request, arp + 24, "0a00 020f")).empty());  // an announcement (2.3)
  CHECK(reply_to(with(arp_request, arp + 24, "ffff ffff")).empty());
  CHECK(reply_to(with(arp_request, arp + 24, "e000 0001")).empty());
  CHECK(reply_to(with(arp_request, arp + 6, "0002")).empty());  // an answer
  CHECK(reply_to(with(arp_request, arp + 6, "0003")).empty());  // a request of RARP
  CHECK(reply_to(with(arp_request, arp + 0, "0006")).empty());
  CHECK(reply_to(with(arp_request, arp + 2, "86dd")).empty());
  CHECK(reply_to(with(arp_request, arp + 4, "08")).empty());
  CHECK(reply_to(with(arp_request, arp + 5, "10")).empty());
}

TEST_CASE("what is for many, or comes from nobody, is not answered") {
  CHECK(reply_to(with(echo_request, ethernet_destination, "ffff ffff ffff")).empty());
  CHECK(reply_to(with(echo_request, ethernet_destination, "0100 5e00 0001")).empty());
  for (const char* frame : {arp_request, echo_request}) {
    CHECK(reply_to(with(frame, ethernet_source, "0300 0000 0001")).empty());
  }
  CHECK(reply_to(with_ip(echo_request, 16, "ffff ffff")).empty());
  CHECK(reply_to(with_ip(echo_request, 16, "e000 0001")).empty());
  CHECK(reply_to(with_ip(echo_request, 16, "0000 0000")).empty());
  CHECK(reply_to(with_ip(echo_request, 12, "0000 0000")).empty());
  CHECK_FALSE(reply_to(with_ip(echo_request, 12, "0a00 0210")).empty());
}

TEST_CASE("options, fragments, other versions and other protocols are not answered") {
  CHECK(reply_to(with_ip(echo_request, 0, "46")).empty());            // six words of header
  CHECK(reply_to(with_ip(echo_request, 0, "44")).empty());            // four
  CHECK(reply_to(with_ip(echo_request, 0, "65")).empty());            // version 6
  CHECK(reply_to(with_ip(echo_request, 6, "2000")).empty());          // more fragments
  CHECK(reply_to(with_ip(echo_request, 6, "0001")).empty());          // a later one
  CHECK(reply_to(with_ip(echo_request, 2, "0024")).empty());          // longer than the frame
  CHECK(reply_to(with_ip(echo_request, 2, "0013")).empty());          // shorter than its header
  CHECK(reply_to(with_ip(echo_request, 9, "06")).empty());            // TCP
  CHECK(reply_to(with(echo_request, payload, "0000 6eca")).empty());  // an answer
  CHECK(reply_to(with(echo_request, payload, "0801 66c9")).empty());  // a code that is not
  CHECK(reply_to(with(echo_request, 12, "8100")).empty());            // a VLAN tag
  CHECK(reply_to(with(echo_request, 12, "86dd")).empty());
}

TEST_CASE("a datagram whose two lengths differ is not answered") {
  CHECK(reply_to(with(datagram, payload + 4, "000c 0000")).empty());
  CHECK(reply_to(with(datagram, payload + 4, "000e 0000")).empty());
  CHECK(reply_to(with(datagram, payload + 4, "0007 0000")).empty());
  CHECK_FALSE(reply_to(with(datagram, payload + 4, "000d 0000")).empty());
}
