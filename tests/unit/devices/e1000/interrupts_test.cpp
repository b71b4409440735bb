// Expected values: Intel 317453, 13.4.17 to 13.4.21 and 13.4.30 to 13.4.47.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::e1000;
using namespace kvmbench::e1000::test;

namespace {

constexpr std::uint32_t flush = 1u << 31;

struct Sender : Fixture {
  Sender() {
    set_up_transmit();
    at = place(frame_to(to_all));
  }
  void send(std::uint32_t flags) {
    put(at, 60 | eop | rs | flags);
    kick();
  }
  std::uint64_t at;
};

struct Station : Fixture {
  Station() { set_up_receive(); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a cause interrupts only while its mask bit is set", "[e1000]") {
  set(reg::ics, icr_rxt0 | icr_lsc);
  CHECK_FALSE(line.level);
  set(reg::ims, icr_rxt0);
  CHECK(line.level);
  CHECK(get(reg::ims) == icr_rxt0);
  set(reg::ims, icr_lsc);  // zeros leave the mask
  CHECK(get(reg::ims) == (icr_rxt0 | icr_lsc));
  set(reg::imc, icr_rxt0);
  CHECK(line.level);
  set(reg::imc, icr_lsc);
  CHECK_FALSE(line.level);
  CHECK(get(reg::ims) == 0);
}

TEST_CASE_METHOD(Fixture, "reading ICR clears it and lets go of the line", "[e1000]") {
  set(reg::ims, icr_rxt0);
  set(reg::ics, icr_rxt0 | icr_txdw);
  CHECK(line.level);
  CHECK(get(reg::icr) == (icr_rxt0 | icr_txdw));
  CHECK_FALSE(line.level);
  CHECK(get(reg::icr) == 0);
  CHECK(line.rises == 1);
}

TEST_CASE_METHOD(Fixture, "writing ones to ICR clears those causes only", "[e1000]") {
  set(reg::ims, 0xffffffff);
  set(reg::ics, icr_rxt0 | icr_txdw);
  set(reg::icr, icr_rxt0);
  CHECK(line.level);
  CHECK(get(reg::icr) == icr_txdw);
}

TEST_CASE_METHOD(Fixture, "reserved causes do not exist, and ICS and IMC read as 0", "[e1000]") {
  set(reg::ims, 0xffffffff);
  set(reg::ics, 0x80000020);
  CHECK(get(reg::icr) == 0);
  CHECK_FALSE(line.level);
  CHECK((get(reg::ims) & 0x80000020) == 0);
  CHECK(get(reg::ics) == 0);
  CHECK(get(reg::imc) == 0);
}

TEST_CASE_METHOD(Fixture, "ITR keeps interrupts apart by its interval of 256 ns", "[e1000]") {
  set(reg::ims, 0xffffffff);
  set(reg::itr, 500);  // 128 us
  clock.now = 1'000'000;
  set(reg::ics, icr_rxt0);
  CHECK(line.rises == 1);
  CHECK_FALSE(alarm.at);
  static_cast<void>(get(reg::icr));
  clock.now += 100'000;
  set(reg::ics, icr_rxt0);
  CHECK_FALSE(line.level);
  CHECK(alarm.at == 1'128'000u);
  clock.now = 1'127'999;
  card.alarm();
  CHECK_FALSE(line.level);
  CHECK(alarm.at == 1'128'000u);
  clock.now = 1'128'000;
  card.alarm();
  CHECK(line.level);
  CHECK(get(reg::icr) == icr_rxt0);  // none was lost
  clock.now += 200'000;
  set(reg::ics, icr_rxt0);
  CHECK(line.level);  // the interval is over
}

TEST_CASE_METHOD(Fixture, "a throttled cause that is read in time interrupts no more", "[e1000]") {
  set(reg::ims, 0xffffffff);
  set(reg::itr, 500);
  set(reg::ics, icr_rxt0);
  static_cast<void>(get(reg::icr));
  set(reg::ics, icr_rxt0);
  CHECK(get(reg::icr) == icr_rxt0);
  clock.now = 128'000;
  card.alarm();
  CHECK(line.rises == 1);
  set(reg::ics, icr_rxt0);
  static_cast<void>(get(reg::icr));
  set(reg::ics, icr_rxt0);
  set(reg::itr, 0);  // no throttling any more
  CHECK(line.level);
}

TEST_CASE_METHOD(Sender, "a descriptor with RS raises TXDW, and the emptied ring TXQE", "[e1000]") {
  send(0);
  CHECK(get(reg::icr) == (icr_txdw | icr_txqe));
  put(at, 60 | eop);  // without RS
  kick();
  CHECK(get(reg::icr) == icr_txqe);
}

TEST_CASE_METHOD(Sender, "IDE puts TXDW off by TIDV, each frame anew, and by TADV at most", "[e1000]") {
  set(reg::ims, icr_txdw);
  set(reg::tidv, 100);  // 102.4 us
  set(reg::tadv, 150);  // 153.6 us
  send(ide);
  CHECK_FALSE(line.level);
  CHECK(alarm.at == 102'400u);
  clock.now = 90'000;
  send(ide);
  clock.now = 102'400;
  card.alarm();
  CHECK_FALSE(line.level);
  CHECK(alarm.at == 153'600u);
  clock.now = 153'600;
  card.alarm();
  CHECK(line.level);
  static_cast<void>(get(reg::icr));
  send(ide);
  CHECK_FALSE(line.level);
  send(0);  // one that does not wait takes the others along
  CHECK(line.level);
  static_cast<void>(get(reg::icr));
  clock.now = 10'000'000;
  card.alarm();
  CHECK(line.rises == 2);
}

TEST_CASE_METHOD(Sender, "FPD in TIDV ends the wait", "[e1000]") {
  set(reg::tidv, 100);
  send(ide);
  CHECK(get(reg::icr) == icr_txqe);
  set(reg::tidv, 100 | flush);
  CHECK(get(reg::icr) == icr_txdw);
  set(reg::tidv, 100 | flush);
  CHECK(get(reg::icr) == 0);
}

TEST_CASE_METHOD(Station, "RDTR puts RXT0 off with each frame, and RADV bounds that", "[e1000]") {
  set(reg::ims, icr_rxt0);
  set(reg::rdtr, 10);
  set(reg::radv, 15);
  CHECK(receive(frame_to(to_station)));
  CHECK_FALSE(line.level);
  CHECK(alarm.at == 10'240u);
  clock.now = 9'000;
  CHECK(receive(frame_to(to_station)));
  clock.now = 10'240;
  card.alarm();
  CHECK_FALSE(line.level);
  CHECK(alarm.at == 15'360u);
  clock.now = 15'360;
  card.alarm();
  CHECK(line.level);
  CHECK(get(reg::icr) == icr_rxt0);
}

TEST_CASE_METHOD(Station, "a frame of at most RSRPD's size, FCS included, is told at once", "[e1000]") {
  set(reg::rdtr, 10);
  set(reg::rsrpd, 64);
  CHECK(receive(frame_to(to_station, 61)));
  CHECK(get(reg::icr) == 0);
  CHECK(receive(frame_to(to_station, 60)));
  CHECK(get(reg::icr) == icr_srpd);
}

TEST_CASE_METHOD(Station, "FPD in RDTR ends the wait", "[e1000]") {
  set(reg::rdtr, 10);
  CHECK(receive(frame_to(to_station)));
  CHECK(get(reg::icr) == 0);
  set(reg::rdtr, 10 | flush);
  CHECK(get(reg::icr) == icr_rxt0);
}

TEST_CASE_METHOD(Station, "RXDMT0 comes when RDMTS's part of the ring is left", "[e1000]") {
  set_up_receive(16, rctl_secrc | 1u << 8);  // a quarter: 4 of 16
  for (int i = 0; i < 10; ++i) CHECK(receive(frame_to(to_station)));
  CHECK((get(reg::icr) & icr_rxdmt0) == 0);  // 5 left
  CHECK(receive(frame_to(to_station)));
  CHECK((get(reg::icr) & icr_rxdmt0) != 0);
  CHECK(receive(frame_to(to_station)));
  CHECK((get(reg::icr) & icr_rxdmt0) == 0);  // told once
}

TEST_CASE_METHOD(Station, "interrupts are counted when the line rises", "[e1000]") {
  set(reg::ims, icr_rxt0);
  for (int i = 0; i < 3; ++i) {
    CHECK(receive(frame_to(to_station)));
    CHECK(receive(frame_to(to_station)));
    static_cast<void>(get(reg::icr));
  }
  const std::vector<Operation> operations = card.operations();
  CHECK(operations.back() == Operation{"interrupts", 3});
  CHECK(operations.front() == Operation{"packets", 6});
}
