#include "devices/acpi_pm.hpp"

#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

namespace {

// ACPI 6.4, 4.8: offsets in the block and bits.
constexpr unsigned sts = 0, en = 2, cnt = 4, gap = 6, tmr = 8;
constexpr std::uint16_t pwrbtn = 0x0100, slp_en = 0x2000;

constexpr std::uint16_t slp_typ(unsigned type) {
  return static_cast<std::uint16_t>(type << 10);
}

struct Fixture {
  RecordingLine sci;
  RecordingPower power;
  ManualMonotonicClock clock;
  AcpiPm pm{sci, power, clock};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "SCI_EN is set from the start and cannot be cleared", "[acpi-pm]") {
  CHECK(pm.read(cnt, 2) == 0x0001);
  pm.write(cnt, 2, 0x0000);
  CHECK(pm.read(cnt, 2) == 0x0001);
}

TEST_CASE_METHOD(Fixture, "SLP_EN with S5's type powers off", "[acpi-pm]") {
  pm.write(cnt, 2, slp_typ(5) | slp_en);
  CHECK(power.power_offs == 1);
  CHECK(pm.read(cnt, 2) == (slp_typ(5) | 0x0001));  // SLP_EN is write-only
}

TEST_CASE_METHOD(Fixture, "the sleep type may be written first, and SLP_EN by a byte", "[acpi-pm]") {
  pm.write(cnt, 2, slp_typ(5));
  CHECK(power.power_offs == 0);
  pm.write(cnt + 1, 1, (slp_typ(5) | slp_en) >> 8);
  CHECK(power.power_offs == 1);
}

TEST_CASE_METHOD(Fixture, "SLP_EN with any other type does nothing", "[acpi-pm]") {
  for (const unsigned type : {0u, 1u, 2u, 3u, 4u, 6u, 7u}) pm.write(cnt, 2, slp_typ(type) | slp_en);
  CHECK(power.power_offs == 0);
}

TEST_CASE_METHOD(Fixture, "the power button raises the SCI if enabled, until the guest clears the event",
                 "[acpi-pm]") {
  pm.press_power_button();
  CHECK(pm.read(sts, 2) == pwrbtn);
  CHECK_FALSE(sci.level);
  pm.write(en, 2, pwrbtn);
  CHECK(sci.level);
  pm.write(sts, 2, 0x0001);  // another bit
  CHECK(sci.level);
  pm.write(sts, 2, pwrbtn);
  CHECK_FALSE(sci.level);
  CHECK(pm.read(sts, 2) == 0);
  pm.press_power_button();
  CHECK(sci.level);
  CHECK(sci.rises == 2);
}

TEST_CASE_METHOD(Fixture, "a byte write of 1 to the status register clears bits of that byte only",
                 "[acpi-pm]") {
  pm.press_power_button();
  pm.write(sts, 1, 0xff);
  CHECK(pm.read(sts, 2) == pwrbtn);
  pm.write(sts + 1, 1, 0x01);
  CHECK(pm.read(sts, 2) == 0);
}

TEST_CASE_METHOD(Fixture, "PM1_EN keeps GBL, PWRBTN, SLPBTN and RTC; TMR_EN cannot be set", "[acpi-pm]") {
  pm.write(en, 2, 0xffff);
  CHECK(pm.read(en, 2) == 0x0720);
  pm.write(en + 1, 1, 0x00);
  CHECK(pm.read(en, 2) == 0x0020);
}

TEST_CASE_METHOD(Fixture, "PM_TMR counts 3,579,545 ticks a second in 32 bits", "[acpi-pm]") {
  CHECK(pm.read(tmr, 4) == 0);
  clock.now = 1'000'000'000;
  CHECK(pm.read(tmr, 4) == 3'579'545);
  clock.now = 1'000'000'000'000;  // 3,579,545,000 ticks
  CHECK(pm.read(tmr, 4) == 3'579'545'000);
  clock.now = 2'000'000'000'000;
  CHECK(pm.read(tmr, 4) == 7'159'090'000 - 4'294'967'296);
  clock.now = 280;  // one tick takes 279.4 ns
  CHECK(pm.read(tmr, 4) == 1);
  clock.now = 279;
  CHECK(pm.read(tmr, 4) == 0);
}

TEST_CASE_METHOD(Fixture, "PM_TMR cannot be written", "[acpi-pm]") {
  clock.now = 1'000'000'000;
  pm.write(tmr, 4, 0);
  CHECK(pm.read(tmr, 4) == 3'579'545);
}

TEST_CASE_METHOD(Fixture, "TMR_STS is set when bit 31 of the timer has changed, also twice", "[acpi-pm]") {
  CHECK((pm.read(sts, 2) & 1) == 0);
  clock.now = 599'000'000'000;  // 2^31 ticks take 599.9 s
  CHECK((pm.read(sts, 2) & 1) == 0);
  clock.now = 600'000'000'000;
  CHECK((pm.read(sts, 2) & 1) == 1);
  pm.write(sts, 2, 1);
  CHECK((pm.read(sts, 2) & 1) == 0);
  clock.now = 1'800'000'000'000;  // three changes in all
  CHECK((pm.read(sts, 2) & 1) == 1);
  CHECK_FALSE(sci.level);
}

TEST_CASE_METHOD(Fixture, "any width and alignment reads the bytes of the registers it covers", "[acpi-pm]") {
  clock.now = 1'000'000'000;  // PM_TMR = 0x00369e99
  pm.press_power_button();
  pm.write(en, 2, 0x0020);
  CHECK(pm.read(sts, 4) == 0x00200100);
  CHECK(pm.read(sts + 1, 2) == 0x2001);
  CHECK(pm.read(cnt, 4) == 0xffff0001);
  CHECK(pm.read(gap, 2) == 0xffff);
  CHECK(pm.read(tmr + 1, 2) == 0x369e);
  CHECK(pm.read(tmr + 2, 4) == 0xffff0036);
  CHECK(pm.read(tmr - 1, 4) == 0x369e99ff);
  CHECK(pm.read(sts, 8) == 0xffff'0001'0020'0100);
  for (unsigned offset = 0; offset < AcpiPm::size; ++offset) {
    for (unsigned width = 1; width <= 8; ++width) CHECK((pm.read(offset, width) & ~all_ones(width)) == 0);
  }
}

TEST_CASE_METHOD(Fixture, "one wide write reaches both event registers", "[acpi-pm]") {
  pm.press_power_button();
  pm.write(sts, 4, 0x01000000);
  CHECK(pm.read(sts, 4) == 0x01000100);
  CHECK(sci.level);
}

TEST_CASE_METHOD(Fixture, "past the block it reads as ones and drops writes", "[acpi-pm]") {
  CHECK(reads_ones_past(pm, AcpiPm::size));
  write_past(pm, AcpiPm::size, ~std::uint64_t{0});
  pm.write(gap, 2, 0xffff);
  CHECK(power.power_offs == 0);
  CHECK(pm.read(en, 2) == 0);
}

TEST_CASE_METHOD(Fixture, "the PM registers have ACPI's names", "[acpi-pm]") {
  CHECK(pm.name() == "acpi-pm");
  CHECK(pm.register_name(0, Direction::read) == "PM1a_STS");
  CHECK(pm.register_name(1, Direction::read) == "PM1a_STS");
  CHECK(pm.register_name(2, Direction::write) == "PM1a_EN");
  CHECK(pm.register_name(4, Direction::write) == "PM1a_CNT");
  CHECK(pm.register_name(6, Direction::write) == "+0x6");
  CHECK(pm.register_name(8, Direction::read) == "PM_TMR");
  CHECK(pm.register_name(11, Direction::read) == "PM_TMR");
  CHECK(pm.register_name(12, Direction::read) == "+0xc");
}
