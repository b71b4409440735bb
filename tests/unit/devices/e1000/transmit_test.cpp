// Expected values: Intel 317453, 3.3 to 3.6.
#include <catch2/catch.hpp>

#include "devices/e1000/internet_checksum.hpp"
#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::e1000;
using namespace kvmbench::e1000::test;

namespace {

using Bytes = std::vector<std::byte>;

Bytes pattern(std::size_t size, unsigned first = 0) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i + first) % 251);
  return bytes;
}

void append(Bytes& to, const Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::uint16_t be16(const Bytes& bytes, std::size_t at) {
  return load_be16(bytes, at);
}

struct Transmit : Fixture {
  Transmit() { set_up_transmit(); }

  /// A context descriptor (3.3.6). Header offsets are those of IPv4 or IPv6 and TCP or UDP without options.
  void put_context(std::uint32_t command, std::uint32_t payload, std::uint64_t header, std::uint64_t mss,
                   std::uint64_t ip_header = 20, std::uint64_t checksum_in_transport = 16) {
    const std::uint64_t transport = 14 + ip_header;
    const std::uint64_t low = 14u | std::uint64_t{24} << 8 | (transport - 1) << 16 | transport << 32 |
                              (transport + checksum_in_transport) << 40;
    put(low, std::uint64_t{payload | dext | command} | header << 40 | mss << 48);
  }
  void put_data(const Bytes& bytes, std::uint32_t command, std::uint64_t options = 0,
                std::uint64_t special = 0) {
    const std::uint64_t length = bytes.size();
    put(place(bytes), length | data_type | dext | command | options << 40 | special << 48);
  }
  [[nodiscard]] const Bytes& sent(std::size_t number) const { return network.sent.at(number).bytes; }
};

constexpr std::uint32_t context_tcp = 1u << 24, context_ipv4 = 1u << 25;
constexpr std::uint64_t insert_ip = 1, insert_transport = 2;

/// Ethernet, IPv4 and TCP headers, as Linux leaves them for segmentation: no total length, no IP checksum,
/// and in TCP's checksum the sum of the pseudo header without its length.
Bytes ipv4_tcp_headers(std::uint16_t identification, std::uint32_t sequence, unsigned flags) {
  Bytes bytes = bytes_of({0x52, 0x54, 0, 0x12, 0x34, 0x57, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x08, 0x00});
  append(bytes, bytes_of({0x45,
                          0,
                          0,
                          0,
                          unsigned{identification} >> 8,
                          identification & 0xffu,
                          0x40,
                          0,
                          64,
                          6,
                          0,
                          0,
                          10,
                          0,
                          0,
                          1,
                          10,
                          0,
                          0,
                          2}));
  const std::uint16_t pseudo = ones_sum(std::span(bytes).subspan(26, 8), 6);
  append(bytes, bytes_of({0x12,
                          0x34,
                          0x56,
                          0x78,
                          sequence >> 24,
                          sequence >> 16 & 0xff,
                          sequence >> 8 & 0xff,
                          sequence & 0xff,
                          0,
                          0,
                          0,
                          1,
                          0x50,
                          flags,
                          0x20,
                          0,
                          unsigned{pseudo} >> 8,
                          pseudo & 0xffu,
                          0,
                          0}));
  return bytes;
}

/// Whether an IPv4 packet in an Ethernet frame has right checksums and lengths.
bool is_right_ipv4_tcp(const Bytes& frame) {
  const std::span<const std::byte> packet = std::span(frame).subspan(14);
  if (load_be16(packet, 2) != packet.size()) return false;
  if (ones_sum(packet.first(20)) != 0xffff) return false;
  const auto length = static_cast<std::uint32_t>(packet.size() - 20);
  return ones_sum(packet.subspan(20), ones_sum(packet.subspan(12, 8)) + 6u + length) == 0xffff;
}

}  // namespace

TEST_CASE_METHOD(Transmit, "a legacy descriptor sends a frame and is marked done", "[e1000]") {
  const Bytes frame = frame_to(to_all, 100);
  put(place(frame), 100 | eop | ifcs | rs);
  CHECK(network.sent.empty());
  kick();
  REQUIRE(network.sent.size() == 1);
  CHECK(sent(0) == frame);
  CHECK(network.sent[0].header.flags == 0);
  CHECK(network.sent[0].header.gso_type == 0);
  CHECK(transmit_status(0) == 1);
  CHECK(get(reg::tdh) == 1);
}

TEST_CASE_METHOD(Transmit, "without RS a descriptor is not written back", "[e1000]") {
  put(place(frame_to(to_all)), 60 | eop);
  kick();
  CHECK(network.sent.size() == 1);
  CHECK(transmit_status(0) == 0);
}

TEST_CASE_METHOD(Transmit, "a frame may lie in several descriptors", "[e1000]") {
  const Bytes frame = frame_to(to_all, 300);
  put(place(std::span(frame).first(1)), 1);
  put(place(std::span(frame).subspan(1, 198)), 198 | rs);
  kick();
  CHECK(network.sent.empty());
  CHECK(get(reg::tdh) == 2);
  put(place(std::span(frame).subspan(199)), 101 | eop);
  kick();
  REQUIRE(network.sent.size() == 1);
  CHECK(sent(0) == frame);
}

TEST_CASE_METHOD(Transmit, "descriptors of length 0 or with a null address move no data", "[e1000]") {
  const Bytes frame = frame_to(to_all, 64);
  put(place(frame), 64);
  put(0, 100 | rs);
  put(buffers_at, 0 | eop | rs);
  kick();
  REQUIRE(network.sent.size() == 1);
  CHECK(sent(0) == frame);
  CHECK(transmit_status(1) == 1);
  put(0, 0 | eop | rs);
  kick();
  CHECK(network.sent.size() == 1);  // a packet of nothing is none
}

TEST_CASE_METHOD(Transmit, "the ring wraps around", "[e1000]") {
  for (unsigned i = 0; i < 20; ++i) {
    put(place(frame_to(to_all, 60 + i)), 60 + i | eop | rs);
    kick();
    REQUIRE(network.sent.size() == i + 1);
    CHECK(sent(i).size() == 60 + i);
    CHECK(get(reg::tdh) == (i + 1) % 8);
  }
}

TEST_CASE_METHOD(Transmit, "nothing is sent while TCTL.EN or bus mastering is off", "[e1000]") {
  set(reg::tctl, 0);
  put(place(frame_to(to_all)), 60 | eop | rs);
  kick();
  CHECK(network.sent.empty());
  card.pci().write_config(0x04, 3, 0xffff);
  set(reg::tctl, 2);
  CHECK(network.sent.empty());
  card.pci().write_config(0x04, 7, 0xffff);
  kick();
  CHECK(network.sent.size() == 1);
}

TEST_CASE_METHOD(Transmit, "TCTL.PSP pads short packets", "[e1000]") {
  put(place(frame_to(to_all, 20)), 20 | eop);
  kick();
  set(reg::tctl, 0x0a);
  put(place(frame_to(to_all, 20)), 20 | eop);
  kick();
  REQUIRE(network.sent.size() == 2);
  CHECK(sent(0).size() == 20);
  Bytes padded = frame_to(to_all, 20);
  padded.resize(60);
  CHECK(sent(1) == padded);
}

TEST_CASE_METHOD(Transmit, "IC inserts the checksum from CSS on at CSO", "[e1000]") {
  Bytes frame = frame_to(to_all, 61);
  frame[50] = frame[51] = std::byte{0};
  put(place(frame), 61 | eop | ic | 50u << 16 | std::uint64_t{34} << 40);
  kick();
  REQUIRE(network.sent.size() == 1);
  CHECK(ones_sum(std::span(sent(0)).subspan(34)) == 0xffff);
  CHECK(Bytes(sent(0).begin(), sent(0).begin() + 50) == Bytes(frame.begin(), frame.begin() + 50));
}

TEST_CASE_METHOD(Transmit, "a checksum that would lie outside of the packet is not inserted", "[e1000]") {
  const Bytes frame = frame_to(to_all, 60);
  put(place(frame), 60 | eop | ic | 59u << 16 | std::uint64_t{34} << 40);
  put(place(frame), 60 | eop | ic | 50u << 16 | std::uint64_t{60} << 40);
  kick();
  REQUIRE(network.sent.size() == 2);
  CHECK(sent(0) == frame);
  CHECK(sent(1) == frame);
}

TEST_CASE_METHOD(Transmit, "a data descriptor's packet gets the checksums that POPTS and the context ask for",
                 "[e1000]") {
  Bytes frame = ipv4_tcp_headers(1, 1, 0x18);
  append(frame, pattern(33));
  store_be16(frame, 16, static_cast<std::uint16_t>(frame.size() - 14));
  // Without segmentation software leaves the whole sum of the pseudo header.
  store_be16(frame, 50, ones_sum(std::span(frame).subspan(26, 8), 6 + 20 + 33));
  put_context(context_tcp | context_ipv4, 0, 0, 0);
  put_data(frame, eop | rs, insert_ip | insert_transport);
  put_data(frame, eop | rs, insert_ip);
  put_data(frame, eop | rs, 0);
  kick();
  REQUIRE(network.sent.size() == 3);
  CHECK(is_right_ipv4_tcp(sent(0)));
  CHECK(ones_sum(std::span(sent(1)).subspan(14, 20)) == 0xffff);
  CHECK(be16(sent(1), 50) == be16(frame, 50));
  CHECK(sent(2) == frame);
  CHECK(transmit_status(0) == 0);  // the context had no RS
  CHECK(transmit_status(1) == 1);
}

TEST_CASE_METHOD(Transmit, "a checksum of zero is sent as its other zero, which UDP needs", "[e1000]") {
  Bytes frame = frame_to(to_all, 60);
  for (std::size_t i = 34; i < 60; ++i) frame[i] = std::byte{0};
  frame[34] = frame[35] = std::byte{0xff};
  put_context(context_ipv4, 0, 0, 0, 20, 6);
  put_data(frame, eop, insert_transport);
  kick();
  CHECK(be16(sent(0), 40) == 0xffff);
}

TEST_CASE_METHOD(Transmit, "TSE cuts a packet into frames of MSS bytes with headers of their own",
                 "[e1000]") {
  constexpr std::size_t payload = 3333, mss = 1460, header = 54;
  Bytes packet = ipv4_tcp_headers(0xfffe, 0xfffffff0, 0x19);  // FIN, PSH, ACK
  append(packet, pattern(payload));
  put_context(context_tcp | context_ipv4 | tse, payload, header, mss);
  put_data(packet, eop | rs | tse, insert_ip | insert_transport);
  kick();
  REQUIRE(network.sent.size() == 3);
  Bytes together;
  for (std::size_t i = 0; i < 3; ++i) {
    const Bytes& frame = sent(i);
    INFO("frame " << i);
    CHECK(frame.size() == header + (i < 2 ? mss : payload - 2 * mss));
    CHECK(is_right_ipv4_tcp(frame));
    CHECK(be16(frame, 18) == ((0xfffe + i) & 0xffff));
    CHECK(load_be32(frame, 38) == static_cast<std::uint32_t>(0xfffffff0u + i * mss));
    CHECK(std::to_integer<unsigned>(frame[47]) == (i < 2 ? 0x10u : 0x19u));
    together.insert(together.end(), frame.begin() + header, frame.end());
  }
  CHECK(together == pattern(payload));
  CHECK(transmit_status(1) == 1);
  CHECK(get(0x40f8) == 1);  // TSCTC
  CHECK(get(0x40d4) == 3);  // TPT
}

TEST_CASE_METHOD(Transmit, "a segmentation's data may lie in any descriptors", "[e1000]") {
  constexpr std::size_t payload = 4000, mss = 1000, header = 54;
  Bytes packet = ipv4_tcp_headers(7, 1000, 0x18);
  append(packet, pattern(payload));
  put_context(context_tcp | context_ipv4 | tse, payload, header, mss);
  std::size_t at = 0;
  for (const std::size_t size : {std::size_t{10}, std::size_t{60}, std::size_t{2500}, std::size_t{1484}}) {
    const Bytes part(packet.begin() + static_cast<std::ptrdiff_t>(at),
                     packet.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    put_data(part, tse | (at == packet.size() ? eop : 0), insert_ip | insert_transport);
  }
  REQUIRE(at == packet.size());
  kick();
  REQUIRE(network.sent.size() == 4);  // the last is full as well
  Bytes together;
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(is_right_ipv4_tcp(sent(i)));
    CHECK(std::to_integer<unsigned>(sent(i)[47]) == (i < 3 ? 0x10u : 0x18u));
    together.insert(together.end(), sent(i).begin() + header, sent(i).end());
  }
  CHECK(together == pattern(payload));
}

TEST_CASE_METHOD(Transmit, "segments of IPv6 and of UDP have their lengths", "[e1000]") {
  Bytes packet = bytes_of({0x52, 0x54, 0, 0x12, 0x34, 0x57, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x86, 0xdd});
  append(packet, bytes_of({0x60, 0, 0, 0, 0, 0, 17, 64}));
  append(packet, pattern(32));
  const std::uint16_t pseudo = ones_sum(std::span(packet).subspan(22, 32), 17);
  append(packet, bytes_of({0x12, 0x34, 0x56, 0x78, 0, 0, unsigned{pseudo} >> 8, pseudo & 0xffu}));
  append(packet, pattern(150, 3));
  put_context(tse, 150, 62, 100, 40, 6);
  put_data(packet, eop | tse, insert_transport);
  kick();
  REQUIRE(network.sent.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::span<const std::byte> frame = sent(i);
    const unsigned datagram = i == 0 ? 108 : 58;
    CHECK(load_be16(frame, 18) == datagram);  // IPv6's payload length
    CHECK(load_be16(frame, 58) == datagram);  // UDP's
    CHECK(ones_sum(frame.subspan(54), ones_sum(frame.subspan(22, 32)) + 17u + datagram) == 0xffff);
  }
}

TEST_CASE_METHOD(Transmit, "a context without TSE does not change that of a segmentation", "[e1000]") {
  Bytes packet = ipv4_tcp_headers(1, 1, 0x18);
  append(packet, pattern(200));
  put_context(context_tcp | context_ipv4 | tse, 200, 54, 100);
  put_context(context_ipv4, 0, 0, 0, 20, 6);
  put_data(packet, eop | tse, insert_ip | insert_transport);
  kick();
  REQUIRE(network.sent.size() == 2);
  CHECK(is_right_ipv4_tcp(sent(0)));
  CHECK(is_right_ipv4_tcp(sent(1)));
}

TEST_CASE_METHOD(Transmit, "VLE inserts a VLAN tag while CTRL.VME is set", "[e1000]") {
  const Bytes frame = frame_to(to_all, 80);
  const std::uint64_t tagged = 80 | eop | vle | std::uint64_t{0x2005} << 48;
  put(place(frame), tagged);
  kick();
  set(reg::ctrl, ctrl_slu | ctrl_vme);
  put(place(frame), tagged);
  put_data(frame, eop | vle, 0, 0x2005);
  kick();
  REQUIRE(network.sent.size() == 3);
  CHECK(sent(0) == frame);
  Bytes expected(frame.begin(), frame.begin() + 12);
  append(expected, bytes_of({0x81, 0x00, 0x20, 0x05}));
  expected.insert(expected.end(), frame.begin() + 12, frame.end());
  CHECK(sent(1) == expected);
  CHECK(sent(2) == expected);
}

TEST_CASE_METHOD(Transmit, "every frame of a segmentation has the VLAN tag", "[e1000]") {
  set(reg::ctrl, ctrl_slu | ctrl_vme);
  Bytes packet = ipv4_tcp_headers(1, 1, 0x18);
  append(packet, pattern(200));
  put_context(context_tcp | context_ipv4 | tse, 200, 54, 100);
  put_data(packet, eop | tse | vle, insert_ip | insert_transport, 0x0123);
  kick();
  REQUIRE(network.sent.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(be16(sent(i), 12) == 0x8100);
    CHECK(be16(sent(i), 14) == 0x0123);
    Bytes plain = sent(i);
    plain.erase(plain.begin() + 12, plain.begin() + 16);
    CHECK(is_right_ipv4_tcp(plain));
    CHECK(Bytes(plain.begin(), plain.begin() + 12) == Bytes(packet.begin(), packet.begin() + 12));
  }
}

TEST_CASE_METHOD(Transmit, "a vCPU sends a bounded part of the ring; alarms send the rest in order",
                 "[e1000]") {
  set(reg::tdlen, 256 * 16);
  for (unsigned i = 0; i < 200; ++i) {
    Bytes frame = frame_to(to_all);
    frame[20] = static_cast<std::byte>(i);
    put(place(frame), 60 | eop | rs);
  }
  kick();
  CHECK(network.sent.size() == Card::steps_at_once);
  CHECK(alarm.at == Alarm::now);
  for (unsigned alarms = 0; network.sent.size() < 200; ++alarms) {
    REQUIRE(alarms < 4);
    alarm.at.reset();
    card.alarm();
  }
  for (unsigned i = 0; i < 200; ++i) CHECK(sent(i)[20] == static_cast<std::byte>(i));
  alarm.at.reset();
  card.alarm();
  CHECK_FALSE(alarm.at);
  CHECK(get(reg::tdh) == 200);
}

TEST_CASE_METHOD(Transmit, "one descriptor that stands for very many frames does not hold a vCPU",
                 "[e1000]") {
  Bytes packet = ipv4_tcp_headers(1, 1, 0x18);
  append(packet, pattern(2000));
  put_context(context_tcp | context_ipv4 | tse, 2000, 54, 1);
  put_data(packet, eop | tse | rs, insert_ip | insert_transport);
  kick();
  CHECK(network.sent.size() == Card::steps_at_once - 1);  // the context was a step
  CHECK(transmit_status(1) == 0);
  for (unsigned alarms = 0; transmit_status(1) == 0; ++alarms) {
    REQUIRE(alarms < 40);
    card.alarm();
  }
  CHECK(network.sent.size() == 2000);
  CHECK(sent(1999).back() == packet.back());
}

TEST_CASE_METHOD(Transmit, "a reset in the middle of a packet forgets it", "[e1000]") {
  put(place(frame_to(to_all)), 60);
  kick();
  set(reg::ctrl, ctrl_rst);
  tail = 0;
  set_up_transmit();
  put(place(frame_to(to_all, 70)), 70 | eop);
  kick();
  REQUIRE(network.sent.size() == 1);
  CHECK(sent(0).size() == 70);
}

TEST_CASE_METHOD(Transmit, "frames that the network does not take are dropped, counted and done", "[e1000]") {
  network.takes = false;
  put(place(frame_to(to_all)), 60 | eop | rs);
  kick();
  network.takes = true;
  network.up = false;
  card.link_changed();
  put(place(frame_to(to_all)), 60 | eop | rs);
  kick();
  CHECK(network.sent.empty());
  CHECK(transmit_status(0) == 1);
  CHECK(transmit_status(1) == 1);
  CHECK(get(0x4080) == 0);  // GPTC
  const std::vector<Operation> operations = card.operations();
  CHECK(std::find(operations.begin(), operations.end(), Operation{"sends dropped", 2}) != operations.end());
}

TEST_CASE_METHOD(Transmit, "transmit statistics count by size and kind, and clear when read", "[e1000]") {
  struct Kind {
    std::size_t size;
    std::uint32_t counter;
  };
  // Sizes with FCS at the counters' borders.
  for (const Kind& kind : {Kind{60, 0x40d8}, Kind{61, 0x40dc}, Kind{123, 0x40dc}, Kind{124, 0x40e0},
                           Kind{252, 0x40e4}, Kind{508, 0x40e8}, Kind{1019, 0x40e8}, Kind{1020, 0x40ec}}) {
    put(place(frame_to(to_station, kind.size)), kind.size | eop);
    kick();
    INFO(kind.size);
    CHECK(get(kind.counter) == 1);
    CHECK(get(kind.counter) == 0);
    CHECK(get(0x4080) == 1);              // GPTC
    CHECK(get(0x4090) == kind.size + 4);  // GOTCL
    CHECK(get(0x4090) == kind.size + 4);  // which the upper half clears
    CHECK(get(0x4094) == 0);
    CHECK(get(0x4090) == 0);
  }
  put(place(frame_to(to_all)), 60 | eop);
  put(place(frame_to({0x01, 0, 0x5e, 0, 0, 1})), 60 | eop);
  kick();
  CHECK(get(0x40f4) == 1);  // BPTC
  CHECK(get(0x40f0) == 1);  // MPTC
}

TEST_CASE_METHOD(Transmit, "PHY loopback brings what is sent back to the receiver", "[e1000]") {
  set_up_receive();
  set(reg::mdic, 1u << 26 | 1u << 21 | 0x4140);
  const Bytes frame = frame_to(to_station, 77);
  put(place(frame), 77 | eop);
  // The buffers of both rings lie one over the other: the first receive buffer is moved.
  REQUIRE(memory.store(Gpa{receive_ring_at}, std::uint64_t{0x80000}));
  kick();
  CHECK(network.sent.empty());
  CHECK(received(0).length == 77);
  CHECK((received(0).status & 3) == 3);
  CHECK(receive(frame));  // and nothing comes from outside
  CHECK(get(reg::rdh) == 1);
}
