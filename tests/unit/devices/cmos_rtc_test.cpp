#include "devices/cmos_rtc.hpp"

#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace std::chrono_literals;
using std::chrono::sys_days;

namespace {

constexpr std::uint8_t reg_a = 0x0a, reg_b = 0x0b, reg_c = 0x0c, reg_d = 0x0d;
constexpr std::uint8_t set = 0x80, pie = 0x40, aie = 0x20, uie = 0x10, binary = 0x04, hours_24 = 0x02;
constexpr std::uint8_t irqf = 0x80, pf = 0x40, af = 0x20, uf = 0x10;

struct CountingDeadlines final : DeadlineListener {
  void rearm() noexcept override { ++calls; }
  unsigned calls = 0;
};

// 2024-02-29 21:58:07.1, a Thursday.
const WallClock::TimePoint start =
    WallClock::TimePoint(sys_days(std::chrono::year(2024) / 2 / 29) + 21h + 58min + 7s) + 100ms;

struct Fixture {
  Fixture() { rtc.set_deadline_listener(deadlines); }

  std::uint8_t read(std::uint8_t index) {
    rtc.write(0, 1, index);
    return static_cast<std::uint8_t>(rtc.read(1, 1));
  }
  void write(std::uint8_t index, std::uint8_t value) {
    rtc.write(0, 1, index);
    rtc.write(1, 1, value);
  }
  /// Advances the clock to the deadline and calls tick(), as the machine's timer does.
  void run_to_deadline() {
    const auto deadline = rtc.next_deadline();
    REQUIRE(deadline);
    clock.time = *deadline;
    rtc.tick();
  }

  RecordingLine irq8;
  ManualWallClock clock{start};
  CountingDeadlines deadlines;
  CmosRtc rtc{irq8, clock, CmosRtc::MemorySize{}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "at first the clock shows the host's time, in BCD and 24 hours", "[rtc]") {
  CHECK(read(0x00) == 0x07);
  CHECK(read(0x02) == 0x58);
  CHECK(read(0x04) == 0x21);
  CHECK(read(0x06) == 5);
  CHECK(read(0x07) == 0x29);
  CHECK(read(0x08) == 0x02);
  CHECK(read(0x09) == 0x24);
  CHECK(read(0x32) == 0x20);
  CHECK(read(reg_a) == 0x26);
  CHECK(read(reg_b) == 0x02);
  CHECK(read(reg_c) == 0x00);
  CHECK(read(reg_d) == 0x80);
}

TEST_CASE_METHOD(Fixture, "the time goes on with the host's, through the end of February", "[rtc]") {
  clock.time += 2h + 1min + 53s;
  CHECK(read(0x00) == 0x00);
  CHECK(read(0x02) == 0x00);
  CHECK(read(0x04) == 0x00);
  CHECK(read(0x06) == 6);
  CHECK(read(0x07) == 0x01);
  CHECK(read(0x08) == 0x03);
}

TEST_CASE_METHOD(Fixture, "register B chooses binary and 12 hours", "[rtc]") {
  write(reg_b, binary | hours_24);
  CHECK(read(0x02) == 58);
  CHECK(read(0x04) == 21);
  write(reg_b, binary);
  CHECK(read(0x04) == 0x89);
  write(reg_b, 0);
  CHECK(read(0x04) == 0x89);
  clock.time += 2h;
  CHECK(read(0x04) == 0x91);
}

TEST_CASE_METHOD(Fixture, "bit 7 of the index masks the NMI and is no part of the index", "[rtc]") {
  CHECK(read(0x80 | reg_d) == 0x80);
  write(0x80 | 0x40, 0x77);
  CHECK(read(0x40) == 0x77);
}

TEST_CASE_METHOD(Fixture, "a time written is the time from then on", "[rtc]") {
  write(0x04, 0x03);
  write(0x09, 0x99);
  write(0x32, 0x19);
  write(0x07, 0x28);
  CHECK(read(0x04) == 0x03);
  CHECK(read(0x02) == 0x58);
  clock.time += 24h;
  CHECK(read(0x07) == 0x01);
  CHECK(read(0x08) == 0x03);
  CHECK(read(0x09) == 0x99);
  CHECK(read(0x32) == 0x19);
}

TEST_CASE_METHOD(Fixture,
                 "with SET the registers hold still, and the clock goes on from them when it is cleared",
                 "[rtc]") {
  write(reg_b, set | hours_24);
  clock.time += 10s;
  CHECK(read(0x00) == 0x07);
  write(0x00, 0x30);
  write(0x02, 0x15);
  write(0x04, 0x06);
  clock.time += 10s;
  CHECK(read(0x00) == 0x30);
  write(reg_b, hours_24);
  CHECK(read(0x00) == 0x30);
  CHECK(read(0x02) == 0x15);
  CHECK(read(0x04) == 0x06);
  clock.time += 899ms;  // the divider chain was not touched: seconds still begin with the host's
  CHECK(read(0x00) == 0x30);
  clock.time += 1ms;
  CHECK(read(0x00) == 0x31);
}

TEST_CASE_METHOD(Fixture, "after a reset of the divider chain the first update comes in half a second",
                 "[rtc]") {
  write(reg_a, 0x70);
  CHECK(read(reg_a) == 0x70);
  clock.time += 5s;
  CHECK(read(0x00) == 0x07);
  write(reg_a, 0x26);
  clock.time += 499ms;
  CHECK(read(0x00) == 0x07);
  clock.time += 1ms;
  CHECK(read(0x00) == 0x08);
  clock.time += 1s;
  CHECK(read(0x00) == 0x09);
}

TEST_CASE_METHOD(Fixture,
                 "after nonsense in the time registers the clock shows a time that exists, and goes on",
                 "[rtc]") {
  write(reg_b, binary | hours_24);
  for (const unsigned value : {0xffu, 0x00u, 0x9au, 0x7fu}) {
    for (const unsigned index : {0x00u, 0x02u, 0x04u, 0x06u, 0x07u, 0x08u, 0x09u, 0x32u}) {
      write(static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(value));
    }
    read(reg_c);
    clock.time += 1s;
    CHECK((read(reg_c) & uf) == uf);
    CHECK(read(0x00) < 60);
    CHECK(read(0x02) < 60);
    CHECK(read(0x04) < 24);
    CHECK((read(0x06) >= 1 && read(0x06) <= 7));
    CHECK((read(0x07) >= 1 && read(0x07) <= 31));
    CHECK((read(0x08) >= 1 && read(0x08) <= 12));
    CHECK(read(0x09) < 100);
    CHECK(read(0x32) < 100);
  }
}

TEST_CASE_METHOD(Fixture, "UIP is set in the last 244 microseconds before an update, not with SET", "[rtc]") {
  clock.time += 899ms + 755us;
  CHECK(read(reg_a) == 0x26);
  clock.time += 1us;
  CHECK(read(reg_a) == 0xa6);
  write(reg_b, set | hours_24);
  CHECK(read(reg_a) == 0x26);
  write(reg_b, hours_24);
  clock.time += 244us;
  CHECK(read(reg_a) == 0x26);
}

TEST_CASE_METHOD(Fixture, "register A's UIP, and registers C and D, cannot be written", "[rtc]") {
  write(reg_a, 0xa6);
  CHECK(read(reg_a) == 0x26);
  write(reg_c, 0xff);
  CHECK(read(reg_c) == 0);
  write(reg_d, 0x00);
  CHECK(read(reg_d) == 0x80);
}

TEST_CASE_METHOD(Fixture, "UF is set by an update even with its interrupt off, and reading C clears it",
                 "[rtc]") {
  write(reg_a, 0x20);
  clock.time += 899ms;
  CHECK(read(reg_c) == 0);
  clock.time += 1ms;
  CHECK(read(reg_c) == uf);
  CHECK(read(reg_c) == 0);
  CHECK_FALSE(irq8.level);
  CHECK_FALSE(rtc.next_deadline());
}

TEST_CASE_METHOD(Fixture, "the update-ended interrupt comes with each second", "[rtc]") {
  write(reg_a, 0x20);
  write(reg_b, uie | hours_24);
  CHECK(deadlines.calls == 1);
  CHECK(rtc.next_deadline() == start + 900ms);
  CHECK_FALSE(irq8.level);
  run_to_deadline();
  CHECK(irq8.level);
  CHECK_FALSE(rtc.next_deadline());  // until the guest has taken it
  CHECK(deadlines.calls == 2);
  CHECK(read(reg_c) == (irqf | uf));
  CHECK_FALSE(irq8.level);
  CHECK(rtc.next_deadline() == start + 1900ms);
  CHECK(deadlines.calls == 3);
}

TEST_CASE_METHOD(Fixture, "setting SET clears UIE", "[rtc]") {
  write(reg_b, uie | hours_24);
  write(reg_b, set | uie | hours_24);
  CHECK(read(reg_b) == (set | hours_24));
  CHECK_FALSE(rtc.next_deadline());
}

TEST_CASE_METHOD(Fixture, "a tick that comes too early raises nothing", "[rtc]") {
  write(reg_b, uie | hours_24);
  clock.time += 899ms;
  rtc.tick();
  CHECK_FALSE(irq8.level);
}

TEST_CASE_METHOD(Fixture, "enabling an interrupt whose flag is set already raises it at once", "[rtc]") {
  clock.time += 1s;
  write(reg_b, uie | hours_24);
  CHECK(irq8.level);
  write(reg_b, hours_24);
  CHECK_FALSE(irq8.level);
}

TEST_CASE_METHOD(Fixture, "the alarm interrupt comes at the alarm's time of day", "[rtc]") {
  write(reg_a, 0x20);
  write(0x01, 0x30);
  write(0x03, 0x59);
  write(0x05, 0x21);
  write(reg_b, aie | hours_24);
  CHECK(rtc.next_deadline() == start - 100ms + 1min + 23s);
  run_to_deadline();
  CHECK(irq8.level);
  CHECK(read(reg_c) == (irqf | af | uf));
  CHECK(rtc.next_deadline() == start - 100ms + 1min + 23s + 24h);
}

TEST_CASE_METHOD(Fixture, "the alarm goes by the time the guest has set", "[rtc]") {
  write(reg_a, 0x20);
  write(0x04, 0x10);
  write(0x01, 0x00);
  write(0x03, 0x00);
  write(0x05, 0x11);
  write(reg_b, aie | hours_24);
  CHECK(rtc.next_deadline() == start - 100ms + 1min + 53s);
}

TEST_CASE_METHOD(Fixture, "an alarm passed between two looks is not missed", "[rtc]") {
  write(reg_a, 0x20);
  write(0x01, 0x08);
  write(0x03, 0xff);
  write(0x05, 0xff);
  clock.time += 70s;
  CHECK(read(reg_c) == (af | uf));
  clock.time += 10s;  // 21:59:27, the next is 22:00:08
  CHECK(read(reg_c) == uf);
}

TEST_CASE_METHOD(Fixture, "periodic rates are those of the data sheet's table for 32,768 Hz", "[rtc]") {
  const std::pair<std::uint8_t, std::chrono::nanoseconds> rates[] = {
      {1, 3'906'250ns},   {2, 7'812'500ns},   {3, 122'071ns},      {4, 244'141ns},      {5, 488'282ns},
      {6, 976'563ns},     {7, 1'953'125ns},   {8, 3'906'250ns},    {9, 7'812'500ns},    {10, 15'625'000ns},
      {11, 31'250'000ns}, {12, 62'500'000ns}, {13, 125'000'000ns}, {14, 250'000'000ns}, {15, 500'000'000ns}};
  clock.time = start - 100ms;  // at a whole second every rate is in phase
  for (const auto& [select, period] : rates) {
    INFO("rate select " << int{select});
    read(reg_c);
    write(reg_a, static_cast<std::uint8_t>(0x20 | select));
    write(reg_b, pie | hours_24);
    // The first cycle that is due lies, rounded up to the nanosecond, one period after the second.
    CHECK(rtc.next_deadline() == clock.time + period);
    write(reg_b, hours_24);
  }
}

TEST_CASE_METHOD(Fixture, "the periodic interrupt is raised once until it is taken", "[rtc]") {
  read(reg_c);
  write(reg_b, pie | hours_24);
  run_to_deadline();
  CHECK(irq8.level);
  clock.time += 10ms;
  rtc.tick();
  CHECK(irq8.rises == 1);
  CHECK(read(reg_c) == (irqf | pf));
  CHECK_FALSE(irq8.level);
  run_to_deadline();
  CHECK(irq8.rises == 2);
}

TEST_CASE_METHOD(Fixture, "a rate of 0 is no periodic interrupt", "[rtc]") {
  write(reg_a, 0x20);
  write(reg_b, pie | hours_24);
  CHECK_FALSE(rtc.next_deadline());
  clock.time += 10s;
  CHECK(read(reg_c) == uf);
}

TEST_CASE_METHOD(Fixture, "while the divider chain is held nothing happens", "[rtc]") {
  write(reg_a, 0x66);
  write(reg_b, pie | uie | aie | hours_24);
  CHECK_FALSE(rtc.next_deadline());
  clock.time += 10s;
  CHECK(read(reg_c) == 0);
}

TEST_CASE_METHOD(Fixture, "a host clock that is set back raises nothing and goes on from there", "[rtc]") {
  write(reg_a, 0x20);
  write(reg_b, uie | hours_24);
  clock.time -= 1h;
  rtc.tick();
  CHECK_FALSE(irq8.level);
  CHECK(rtc.next_deadline() == start - 1h + 900ms);
  CHECK(read(0x04) == 0x20);
}

TEST_CASE("firmware's memory sizes: base, above 1 MiB, above 16 MiB and above 4 GiB", "[rtc]") {
  RecordingLine irq8;
  ManualWallClock clock;
  const auto word = [](CmosRtc& rtc, std::uint8_t index) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 2; ++i) {
      rtc.write(0, 1, std::uint64_t{index} + i);
      value |= rtc.read(1, 1) << (8 * i);
    }
    return value;
  };
  CmosRtc big(irq8, clock, {.below_4g = 3ull << 30, .above_4g = 5ull << 30});
  CHECK(word(big, 0x15) == 640);
  CHECK(word(big, 0x17) == 0xffff);
  CHECK(word(big, 0x30) == 0xffff);
  CHECK(word(big, 0x34) == ((3ull << 30) - (16u << 20)) >> 16);
  CHECK(word(big, 0x5b) == ((5ull << 30) >> 16) % 0x10000);
  big.write(0, 1, 0x5d);
  CHECK(big.read(1, 1) == 1);

  CmosRtc small(irq8, clock, {.below_4g = 8u << 20, .above_4g = 0});
  CHECK(word(small, 0x15) == 640);
  CHECK(word(small, 0x17) == 7 * 1024);
  CHECK(word(small, 0x30) == 7 * 1024);
  CHECK(word(small, 0x34) == 0);
  CHECK(word(small, 0x5b) == 0);

  CmosRtc tiny(irq8, clock, {.below_4g = 64u << 10, .above_4g = 0});
  CHECK(word(tiny, 0x15) == 64);
  CHECK(word(tiny, 0x17) == 0);

  unsigned sum = 0;
  for (std::uint8_t index = 0x10; index <= 0x2d; ++index) {
    big.write(0, 1, index);
    sum += static_cast<unsigned>(big.read(1, 1));
  }
  big.write(0, 1, 0x2e);
  CHECK(big.read(1, 1) == sum >> 8);
  big.write(0, 1, 0x2f);
  CHECK(big.read(1, 1) == (sum & 0xff));
}

TEST_CASE_METHOD(Fixture, "CMOS memory keeps what is written", "[rtc]") {
  for (unsigned index = 0x0e; index < 0x80; ++index) {
    if (index != 0x32) write(static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(index ^ 0xff));
  }
  for (unsigned index = 0x0e; index < 0x80; ++index) {
    if (index != 0x32) CHECK(read(static_cast<std::uint8_t>(index)) == (index ^ 0xff));
  }
}

TEST_CASE_METHOD(Fixture, "a wide access is one byte access a port; the index cannot be read", "[rtc]") {
  rtc.write(0, 2, 0x5a40);  // index 0x40, data 0x5a
  CHECK(read(0x40) == 0x5a);
  CHECK(rtc.read(0, 1) == 0xff);
  CHECK(rtc.read(0, 2) == 0x5aff);
  CHECK(rtc.read(1, 4) == 0xffffff5a);
}

TEST_CASE_METHOD(Fixture, "past its two ports it reads as ones and drops writes", "[rtc]") {
  write(0x40, 0x11);
  CHECK(reads_ones_past(rtc, CmosRtc::size));
  write_past(rtc, CmosRtc::size, 0);
  CHECK(rtc.read(1, 1) == 0x11);
  CHECK(rtc.name() == "rtc");
  CHECK(rtc.register_name(0, Direction::write) == "INDEX");
  CHECK(rtc.register_name(1, Direction::read) == "DATA");
  CHECK(rtc.register_name(2, Direction::read) == "+0x2");
}

TEST_CASE("an RTC without a listener raises its interrupts at tick()", "[rtc]") {
  RecordingLine irq8;
  ManualWallClock clock;
  CmosRtc rtc(irq8, clock, {});
  rtc.write(0, 2, uie << 8 | reg_b);
  clock.time += 1s;
  rtc.tick();
  CHECK(irq8.level);
}
