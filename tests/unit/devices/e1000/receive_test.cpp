// Expected values: Intel 317453, 3.2, 9 and 13.5; the FCS is that of IEEE 802.3, 3.2.9.
#include <catch2/catch.hpp>

#include "devices/e1000/internet_checksum.hpp"
#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::e1000;
using namespace kvmbench::e1000::test;

namespace {

using Bytes = std::vector<std::byte>;

constexpr unsigned dd = 0x01, last = 0x02, ixsm = 0x04, vp = 0x08, tcpcs = 0x20, ipcs = 0x40, pif = 0x80;
constexpr unsigned tcpe = 0x20, ipe = 0x40;
constexpr std::uint32_t offload_ip = 0x100, offload_transport = 0x200;

struct Receive : Fixture {
  Receive() { set_up_receive(); }
  bool accepts(const std::vector<unsigned>& destination, std::size_t size = 60) {
    const std::uint32_t before = get(reg::rdh);
    REQUIRE(receive(frame_to(destination, size)));
    const bool stored = get(reg::rdh) != before;
    set(reg::rdt, (get(reg::rdh) + 7) % 8);
    return stored;
  }
};

/// IEEE 802.3's, bit by bit.
std::uint32_t fcs_of(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

/// An IPv4 packet with right checksums; its payload begins with a TCP or UDP header without ports.
Bytes ipv4_frame(unsigned protocol, std::size_t payload, unsigned fragment = 0) {
  Bytes frame = bytes_of({0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 1, 8, 0});
  const auto total = static_cast<unsigned>(20 + payload);
  for (const std::byte byte : bytes_of({0x45,
                                        0,
                                        total >> 8,
                                        total & 0xff,
                                        0,
                                        1,
                                        fragment >> 8,
                                        fragment & 0xff,
                                        64,
                                        protocol,
                                        0,
                                        0,
                                        10,
                                        0,
                                        0,
                                        1,
                                        10,
                                        0,
                                        0,
                                        2})) {
    frame.push_back(byte);
  }
  for (std::size_t i = 0; i < payload; ++i) frame.push_back(static_cast<std::byte>(i * 7 + 1));
  store_be16(frame, 24, static_cast<std::uint16_t>(~ones_sum(std::span(frame).subspan(14, 20))));
  const std::size_t place = 34 + (protocol == 6 ? 16 : 6);
  store_be16(frame, place, 0);
  const std::uint32_t pseudo =
      ones_sum(std::span(frame).subspan(26, 8)) + protocol + static_cast<std::uint32_t>(payload);
  store_be16(frame, place, static_cast<std::uint16_t>(~ones_sum(std::span(frame).subspan(34), pseudo)));
  return frame;
}

}  // namespace

TEST_CASE_METHOD(Receive, "a frame goes to the buffer of the descriptor at the head", "[e1000]") {
  const Bytes frame = frame_to(to_station, 100);
  REQUIRE(receive(frame));
  CHECK(buffer(0, 100) == frame);
  CHECK(received(0).length == 100);
  CHECK(received(0).status == (dd | last | ixsm));
  CHECK(received(0).errors == 0);
  CHECK(get(reg::rdh) == 1);
  CHECK(get(reg::icr) == icr_rxt0);
}

TEST_CASE_METHOD(Receive, "short frames are padded, and the FCS is stored unless RCTL.SECRC", "[e1000]") {
  const Bytes frame = frame_to(to_station, 20);
  REQUIRE(receive(frame));
  Bytes padded = frame;
  padded.resize(60);
  CHECK(received(0).length == 60);
  CHECK(buffer(0, 60) == padded);
  set(reg::rctl, rctl_en);
  REQUIRE(receive(frame));
  CHECK(received(1).length == 64);
  CHECK(buffer(1, 60) == padded);
  CHECK(memory.load<std::uint32_t>(Gpa{buffers_at + 0x4000 + 60}) == fcs_of(padded));
}

TEST_CASE_METHOD(Receive, "a frame is refused while there are too few descriptors, and taken afterwards",
                 "[e1000]") {
  for (int i = 0; i < 7; ++i) CHECK(receive(frame_to(to_station)));
  CHECK(get(reg::rdh) == get(reg::rdt));
  CHECK_FALSE(receive(frame_to(to_station)));
  CHECK_FALSE(receive(frame_to(to_station)));
  CHECK(get(0x40a0) == 1);  // RNBC: one frame
  CHECK(get(0x4010) == 0);  // MPC: it is not lost
  const unsigned rooms = network.rooms;
  set(reg::rdt, 0);
  CHECK(network.rooms > rooms);
  CHECK(receive(frame_to(to_station)));
  CHECK(get(reg::rdh) == 0);  // wrapped around
  CHECK(get(0x40d0) == 8);    // TPR: each once
}

TEST_CASE_METHOD(Receive, "nothing is received while the receiver, bus mastering or the link is off",
                 "[e1000]") {
  set(reg::rctl, rctl_secrc);
  CHECK(receive(frame_to(to_station)));
  set(reg::rctl, rctl_en);
  card.pci().write_config(0x04, 3, 0xffff);
  CHECK(receive(frame_to(to_station)));
  card.pci().write_config(0x04, 7, 0xffff);
  set(reg::ctrl, 0);
  CHECK(receive(frame_to(to_station)));
  CHECK(get(reg::rdh) == 0);
  CHECK(get(0x40d0) == 0);
  set(reg::ctrl, ctrl_slu);
  CHECK(receive(frame_to(to_station)));
  CHECK(get(reg::rdh) == 1);
}

TEST_CASE_METHOD(Receive, "a long frame fills several descriptors, the last of which ends it", "[e1000]") {
  struct Size {
    std::uint32_t control;
    std::size_t bytes;
  };
  for (const Size& size : {Size{0, 2048}, Size{1u << 16, 1024}, Size{2u << 16, 512}, Size{3u << 16, 256},
                           Size{rctl_bsex | 1u << 16, 16384}, Size{rctl_bsex | 2u << 16, 8192},
                           Size{rctl_bsex | 3u << 16, 4096}}) {
    set(reg::ctrl, ctrl_rst);
    set_up_receive(64, rctl_secrc | rctl_lpe | size.control);
    const Bytes frame = frame_to(to_station, 9000);
    REQUIRE(receive(frame));
    INFO("buffers of " << size.bytes);
    const std::size_t needed = (9000 + size.bytes - 1) / size.bytes;
    CHECK(get(reg::rdh) == needed);
    Bytes together;
    for (unsigned i = 0; i < needed; ++i) {
      const bool is_last = i == needed - 1;
      CHECK(received(i).length == (is_last ? 9000 - i * size.bytes : size.bytes));
      CHECK((received(i).status & (dd | last)) == (is_last ? dd | last : dd));
      // Buffers of the test are 16 KiB apart, the lowest MiB of memory ends before the 60th.
      const Bytes part = buffer(i, received(i).length);
      together.insert(together.end(), part.begin(), part.end());
    }
    CHECK(together == frame);
  }
}

TEST_CASE_METHOD(Receive, "frames longer than 1522 bytes with FCS need RCTL.LPE, none is above 16384",
                 "[e1000]") {
  CHECK(accepts(to_station, 1518));
  CHECK_FALSE(accepts(to_station, 1519));
  CHECK(get(0x40ac) == 1);  // ROC
  set(reg::rctl, rctl_en | rctl_lpe | rctl_bsex | 1u << 16);
  CHECK(accepts(to_station, 1519));
  CHECK(accepts(to_station, 16380));
  CHECK_FALSE(accepts(to_station, 16381));
  const std::vector<Operation> operations = card.operations();
  CHECK(std::find(operations.begin(), operations.end(), Operation{"receives dropped", 2}) !=
        operations.end());
}

TEST_CASE_METHOD(Receive, "a frame that no ring of this size holds is lost, not refused for ever",
                 "[e1000]") {
  set(reg::rctl, rctl_en | rctl_lpe | 3u << 16);
  CHECK(receive(frame_to(to_station, 9000)));
  CHECK(get(0x4010) == 1);  // MPC
  CHECK(get(reg::icr) == icr_rxo);
  CHECK(get(reg::rdh) == 0);
  set(reg::rdlen, 0);
  CHECK(receive(frame_to(to_station)));
  CHECK(get(0x4010) == 1);
}

TEST_CASE_METHOD(Receive, "of unicast frames those to a valid receive address pass", "[e1000]") {
  CHECK(accepts(to_station));
  CHECK((received(0).status & pif) == 0);
  CHECK_FALSE(accepts({0x52, 0x54, 0, 0x12, 0x34, 0x57}));
  set(reg::ral0 + 15 * 8, 0x12005452);
  set(reg::ral0 + 15 * 8 + 4, 0x00005734);
  CHECK_FALSE(accepts({0x52, 0x54, 0, 0x12, 0x34, 0x57}));  // not valid
  set(reg::ral0 + 15 * 8 + 4, 0x80005734);
  CHECK(accepts({0x52, 0x54, 0, 0x12, 0x34, 0x57}));
  set(reg::ral0 + 15 * 8 + 4, 0x80015734);  // compares sources
  CHECK_FALSE(accepts({0x52, 0x54, 0, 0x12, 0x34, 0x57}));
  set(reg::rctl, rctl_en | rctl_upe);
  const std::uint32_t head = get(reg::rdh);
  CHECK(accepts({0x52, 0x54, 0, 0x12, 0x34, 0x57}));
  CHECK((received(head).status & pif) != 0);
  CHECK_FALSE(accepts({0x01, 0, 0x5e, 0, 0, 1}));
}

TEST_CASE_METHOD(Receive, "broadcast frames pass with RCTL.BAM", "[e1000]") {
  CHECK(accepts(to_all));
  CHECK((received(0).status & pif) == 0);
  set(reg::rctl, rctl_en);
  CHECK_FALSE(accepts(to_all));
}

TEST_CASE_METHOD(Receive, "multicast frames pass by the table, by RCTL.MPE or by a receive address",
                 "[e1000]") {
  const std::vector<unsigned> group{0x01, 0x00, 0x5e, 0x00, 0x9a, 0xbc};
  CHECK_FALSE(accepts(group));
  // 13.5.1: bits 47:36, 46:35, 45:34 or 43:32 of the address, whose last byte is bits 47:40.
  const std::array<unsigned, 4> hashes = {0xbc9, 0x793, 0xf26, 0xc9a};
  for (unsigned mo = 0; mo < 4; ++mo) {
    const unsigned hash = hashes[mo];
    set(reg::rctl, rctl_en | mo << 12);
    CHECK_FALSE(accepts(group));
    set(reg::mta + hash / 32 * 4, 1u << hash % 32);
    const std::uint32_t head = get(reg::rdh);
    CHECK(accepts(group));
    CHECK((received(head).status & pif) != 0);
    set(reg::mta + hash / 32 * 4, 0);
  }
  set(reg::rctl, rctl_en | rctl_mpe);
  CHECK(accepts(group));
  CHECK_FALSE(accepts({2, 0, 0, 0, 0, 0}));
  set(reg::rctl, rctl_en);
  set(reg::ral0 + 8, 0x005e0001);
  set(reg::ral0 + 12, 0x8000bc9a);
  CHECK(accepts(group));
}

TEST_CASE_METHOD(Receive, "CTRL.VME takes the VLAN tag out; RCTL.VFE looks it up", "[e1000]") {
  Bytes frame = frame_to(to_station, 80);
  store_be16(frame, 12, 0x8100);
  store_be16(frame, 14, 0x3005);  // CFI, and VLAN 5
  REQUIRE(receive(frame));
  CHECK(received(0).length == 80);
  CHECK((received(0).status & vp) == 0);
  set(reg::ctrl, ctrl_slu | ctrl_vme);
  set(reg::rctl, rctl_en);
  REQUIRE(receive(frame));
  CHECK(received(1).length == 80);  // with FCS
  CHECK((received(1).status & vp) != 0);
  CHECK(received(1).special == 0x3005);
  Bytes untagged = frame;
  untagged.erase(untagged.begin() + 12, untagged.begin() + 16);
  CHECK(buffer(1, 76) == untagged);
  CHECK(memory.load<std::uint32_t>(Gpa{buffers_at + 0x4000 + 76}) == fcs_of(frame));
  set(reg::rctl, rctl_en | rctl_vfe);
  REQUIRE(receive(frame));
  CHECK(get(reg::rdh) == 2);  // VLAN 5 is not in the table
  set(reg::vfta, 1u << 5);
  REQUIRE(receive(frame));
  CHECK(get(reg::rdh) == 3);
  set(reg::rctl, rctl_en | rctl_vfe | 1u << 19);  // CFIEN with CFI 0
  REQUIRE(receive(frame));
  CHECK(get(reg::rdh) == 3);
}

TEST_CASE_METHOD(Receive, "RXCSUM has IPv4's, TCP's and UDP's checksums checked", "[e1000]") {
  set(reg::rxcsum, offload_ip | offload_transport);
  const unsigned both = ipcs | tcpcs;
  struct Case {
    Bytes frame;
    unsigned status, errors;
  };
  std::vector<Case> cases;
  for (const unsigned protocol : {6u, 17u}) {
    cases.push_back({ipv4_frame(protocol, 101), both, 0});
    cases.push_back({ipv4_frame(protocol, 101), both, tcpe});
    cases.back().frame[80] ^= std::byte{1};
    cases.push_back({ipv4_frame(protocol, 101), both, ipe});
    cases.back().frame[22] ^= std::byte{1};                         // TTL
    cases.push_back({ipv4_frame(protocol, 101, 0x2000), ipcs, 0});  // more fragments
    cases.push_back({ipv4_frame(protocol, 101, 0x0001), ipcs, 0});
  }
  cases.push_back({ipv4_frame(1, 40), ipcs, 0});  // ICMP
  cases.push_back({ipv4_frame(17, 40), ipcs, 0});
  store_be16(cases.back().frame, 40, 0);  // UDP without a checksum
  cases.push_back({ipv4_frame(6, 40), ixsm, 0});
  store_be16(cases.back().frame, 12, 0x86dd);
  cases.push_back({ipv4_frame(6, 40), ixsm, 0});
  cases.back().frame[14] = std::byte{0x44};  // a header of 16 bytes
  for (std::size_t i = 0; i < cases.size(); ++i) {
    set(reg::rdh, 0);
    set(reg::rdt, 7);
    REQUIRE(receive(cases[i].frame));
    INFO("case " << i);
    CHECK((received(0).status & (both | ixsm)) == cases[i].status);
    CHECK(received(0).errors == cases[i].errors);
  }
}

TEST_CASE_METHOD(Receive, "each checksum is checked only if RXCSUM asks for it", "[e1000]") {
  Bytes frame = ipv4_frame(6, 101);
  frame[22] ^= std::byte{1};
  frame[80] ^= std::byte{1};
  REQUIRE(receive(frame));
  CHECK((received(0).status & (ipcs | tcpcs | ixsm)) == ixsm);
  CHECK(received(0).errors == 0);
  set(reg::rxcsum, offload_ip);
  REQUIRE(receive(frame));
  CHECK((received(1).status & (ipcs | tcpcs | ixsm)) == ipcs);
  CHECK(received(1).errors == ipe);
  set(reg::rxcsum, offload_transport);
  REQUIRE(receive(frame));
  CHECK((received(2).status & (ipcs | tcpcs | ixsm)) == tcpcs);
  CHECK(received(2).errors == tcpe);
}

TEST_CASE_METHOD(Receive, "the packet checksum is the sum from RXCSUM.PCSS on, in the first descriptor",
                 "[e1000]") {
  set(reg::rxcsum, 14);
  set(reg::rctl, rctl_en | rctl_secrc | 3u << 16);
  const Bytes frame = frame_to(to_station, 301);
  REQUIRE(receive(frame));
  CHECK(received(0).checksum == ones_sum(std::span(frame).subspan(14)));
  CHECK(received(1).checksum == 0);
}

TEST_CASE_METHOD(Receive, "receive statistics count what came and what was stored", "[e1000]") {
  REQUIRE(receive(frame_to(to_station)));
  REQUIRE(receive(frame_to(to_all, 1000)));
  REQUIRE(receive(frame_to({2, 0, 0, 0, 0, 0})));
  CHECK(get(0x40d0) == 3);               // TPR
  CHECK(get(0x4074) == 2);               // GPRC
  CHECK(get(0x4078) == 1);               // BPRC
  CHECK(get(0x405c) == 1);               // PRC64
  CHECK(get(0x406c) == 1);               // PRC1023
  CHECK(get(0x4088) == 64 + 1004);       // GORCL
  CHECK(get(0x40c0) == 64 + 1004 + 64);  // TORL
  CHECK(get(0x408c) == 0);
  CHECK(get(0x4088) == 0);
}
