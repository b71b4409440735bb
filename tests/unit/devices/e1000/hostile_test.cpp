// A guest that programs the card wrongly, by accident or on purpose: what it gets is its own matter, as long
// as nothing else is touched and nothing hangs.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::e1000;
using namespace kvmbench::e1000::test;

namespace {

constexpr std::uint64_t memory_end = 1 << 20;

}  // namespace

TEST_CASE_METHOD(Fixture, "a transmit ring outside of memory stands still", "[e1000]") {
  for (const std::uint64_t base : {std::uint64_t{memory_end}, ~std::uint64_t{0xf}, std::uint64_t{1} << 63}) {
    set(reg::tdbal, static_cast<std::uint32_t>(base));
    set(reg::tdbah, static_cast<std::uint32_t>(base >> 32));
    set(reg::tdlen, 0x80);
    set(reg::tctl, 2);
    set(reg::tdh, 0);
    set(reg::tdt, 5);
    CHECK(get(reg::tdh) == 0);
  }
  set(reg::tdbah, 0);
  set(reg::tdbal, memory_end - 2 * 16);  // its third descriptor is not there
  set(reg::tdt, 5);
  CHECK(get(reg::tdh) == 2);
  alarm.at.reset();
  card.alarm();
  CHECK_FALSE(alarm.at);
}

TEST_CASE_METHOD(Fixture, "a head or a tail outside of its ring is an empty ring", "[e1000]") {
  set_up_transmit(8);
  set(reg::tdh, 8);
  set(reg::tdt, 3);
  CHECK(get(reg::tdh) == 8);
  set(reg::tdh, 0);
  set(reg::tdt, 8);
  set(reg::tdt, 0xffff);
  CHECK(get(reg::tdh) == 0);
  set_up_receive(8);
  set(reg::rdh, 0xffff);
  CHECK_FALSE(receive(frame_to(to_station)));
  set(reg::rdh, 0);
  set(reg::rdt, 9);
  CHECK_FALSE(receive(frame_to(to_station)));
  set(reg::rdt, 7);
  CHECK(receive(frame_to(to_station)));
}

TEST_CASE_METHOD(Fixture, "a packet of which a part is not in memory is not sent", "[e1000]") {
  set_up_transmit();
  for (const std::uint64_t at : {std::uint64_t{memory_end}, memory_end - 59, ~std::uint64_t{0} - 30}) {
    put(at, 60 | eop | rs);
    kick();
    CHECK(network.sent.empty());
  }
  CHECK(transmit_status(2) == 1);
  put(place(frame_to(to_all)), 60);
  put(memory_end, 60);
  put(place(frame_to(to_all)), 60 | eop);
  kick();
  CHECK(network.sent.empty());
  put(memory_end - 60, 60 | eop);  // the last that there is
  kick();
  CHECK(network.sent.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a packet longer than the transmit FIFO holds is not sent", "[e1000]") {
  set_up_transmit();
  put(buffers_at, 16304 | eop);
  put(buffers_at, 16305 | eop);
  put(buffers_at, 0xffff | eop);
  put(buffers_at, 10000);
  put(buffers_at, 6305 | eop);
  put(buffers_at, 0xfffffu | data_type | dext | eop);
  kick();
  REQUIRE(network.sent.size() == 1);
  CHECK(network.sent[0].bytes.size() == 16304);
  CHECK(get(reg::tdh) == 6);
}

TEST_CASE_METHOD(Fixture, "a segmentation that cannot be is not sent", "[e1000]") {
  set_up_transmit();
  const auto context = [](std::uint64_t header, std::uint64_t mss) {
    return std::uint64_t{dext | tse | 0xfffff} | header << 40 | mss << 48;
  };
  put(0, context(54, 0));  // frames of nothing
  put(buffers_at, 0x1000 | data_type | dext | tse | eop);
  put(0, context(255, 0xffff));  // frames that are too long
  put(buffers_at, 0xfffff | data_type | dext | tse | eop);
  kick();
  CHECK(network.sent.empty());
  CHECK(get(reg::tdh) == 4);
  put(0, context(100, 1000));
  put(buffers_at, 99 | data_type | dext | tse | eop);  // not even the headers
  kick();
  CHECK(network.sent.empty());
  CHECK(get(reg::tdh) == 6);
}

TEST_CASE_METHOD(Fixture, "a context that changes in mid-packet counts from the next packet on", "[e1000]") {
  set_up_transmit();
  const auto context = [](std::uint64_t header, std::uint64_t mss) {
    return std::uint64_t{dext | tse | 1000} | header << 40 | mss << 48;
  };
  put(0, context(20, 100));
  put(buffers_at, 150 | data_type | dext | tse);
  put(0, context(255, 16000));
  put(buffers_at, 70 | data_type | dext | tse | eop);
  kick();
  REQUIRE(network.sent.size() == 2);
  CHECK(network.sent[0].bytes.size() == 120);
  CHECK(network.sent[1].bytes.size() == 120);
}

TEST_CASE_METHOD(Fixture, "header offsets outside of the frame change nothing outside of it", "[e1000]") {
  set_up_transmit();
  const std::uint64_t offsets = ~std::uint64_t{0};  // all of them at their highest
  for (const std::uint64_t kind : {std::uint64_t{0}, std::uint64_t{1} << 24, std::uint64_t{3} << 24}) {
    put(offsets, std::uint64_t{dext | tse | 100} | kind | std::uint64_t{16} << 40 | std::uint64_t{50} << 48);
    put(buffers_at, 116 | data_type | dext | tse | eop | std::uint64_t{3} << 40);
    kick();
  }
  CHECK(network.sent.size() == 6);
}

TEST_CASE_METHOD(Fixture, "descriptors of an unknown type are passed over", "[e1000]") {
  set_up_transmit();
  put(buffers_at, 60 | dext | 7u << 20 | eop | rs);
  kick();
  CHECK(network.sent.empty());
  CHECK(transmit_status(0) == 1);
}

TEST_CASE_METHOD(Fixture, "receive buffers outside of memory, or over the ring, do no harm", "[e1000]") {
  set_up_receive();
  REQUIRE(memory.store(Gpa{receive_ring_at}, std::uint64_t{memory_end - 10}));
  REQUIRE(memory.store(Gpa{receive_ring_at + 16}, ~std::uint64_t{0} - 20));
  REQUIRE(memory.store(Gpa{receive_ring_at + 32}, std::uint64_t{0}));
  REQUIRE(memory.store(Gpa{receive_ring_at + 48}, receive_ring_at + 64));
  for (int i = 0; i < 5; ++i) CHECK(receive(frame_to(to_station, 200)));
  CHECK(get(reg::rdh) == 5);
  CHECK((received(0).status & 3) == 3);
  CHECK((received(2).status & 3) == 3);
  CHECK(memory.load<std::uint64_t>(Gpa{memory_end - 10}) == 0u);
}

TEST_CASE_METHOD(Fixture, "a receive ring outside of memory swallows frames", "[e1000]") {
  set_up_receive();
  set(reg::rdbah, 0xffffffff);
  CHECK(receive(frame_to(to_station)));
  set(reg::rdbah, 0);
  set(reg::rdbal, memory_end - 16);
  CHECK(receive(frame_to(to_station, 200)));
  CHECK(receive(frame_to(to_station, 200)));
}

TEST_CASE_METHOD(Fixture, "a frame shorter than an Ethernet header is none", "[e1000]") {
  set_up_receive(8, rctl_upe | rctl_mpe | rctl_secrc);
  const std::vector<std::byte> frame(13);
  for (std::size_t size = 1; size <= 13; ++size) CHECK(receive(std::span(frame).first(size)));
  CHECK(get(reg::rdh) == 0);
  set_up_transmit();
  put(buffers_at, 13 | eop | rs);
  kick();
  CHECK(network.sent.empty());
  CHECK(transmit_status(0) == 1);
}
