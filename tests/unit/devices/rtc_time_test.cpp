#include "devices/rtc_time.hpp"

#include <catch2/catch.hpp>

using namespace kvmbench;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

namespace {

constexpr RtcFormat bcd_24{.binary = false, .hours_24 = true};
constexpr RtcFormat bcd_12{.binary = false, .hours_24 = false};
constexpr RtcFormat binary_24{.binary = true, .hours_24 = true};
constexpr RtcFormat binary_12{.binary = true, .hours_24 = false};

// 2024-02-29 was a Thursday.
const sys_seconds leap_evening = sys_days(std::chrono::year(2024) / 2 / 29) + 21h + 58min + 7s;
const sys_seconds leap_midnight = sys_days(std::chrono::year(2024) / 2 / 29);

}  // namespace

TEST_CASE("a time is written in BCD or binary, with 24 or 12 hours", "[rtc-time]") {
  CHECK(to_rtc(leap_evening, bcd_24) == RtcTime{0x07, 0x58, 0x21, 5, 0x29, 0x02, 0x24, 0x20});
  CHECK(to_rtc(leap_evening, bcd_12) == RtcTime{0x07, 0x58, 0x89, 5, 0x29, 0x02, 0x24, 0x20});
  CHECK(to_rtc(leap_evening, binary_24) == RtcTime{7, 58, 21, 5, 29, 2, 24, 20});
  CHECK(to_rtc(leap_evening, binary_12) == RtcTime{7, 58, 0x89, 5, 29, 2, 24, 20});
}

TEST_CASE("midnight and noon are 12 on a 12-hour clock", "[rtc-time]") {
  CHECK(to_rtc(leap_midnight, bcd_12).hours == 0x12);
  CHECK(to_rtc(leap_midnight + 12h, bcd_12).hours == 0x92);
  CHECK(to_rtc(leap_midnight + 1h, binary_12).hours == 1);
  CHECK(to_rtc(leap_midnight + 23h, binary_12).hours == 0x8b);
}

TEST_CASE("Sunday is day 1 of the week and Saturday day 7", "[rtc-time]") {
  CHECK(to_rtc(sys_days(std::chrono::year(2024) / 3 / 3), bcd_24).day_of_week == 1);
  CHECK(to_rtc(sys_days(std::chrono::year(2024) / 3 / 2), bcd_24).day_of_week == 7);
}

TEST_CASE("what is written reads back as the same time in every format", "[rtc-time]") {
  for (const RtcFormat format : {bcd_24, bcd_12, binary_24, binary_12}) {
    for (sys_seconds time = leap_midnight - 400 * 24h; time < leap_midnight + 400 * 24h; time += 104'729s) {
      CHECK(from_rtc(to_rtc(time, format), format) == time);
    }
    CHECK(from_rtc(to_rtc(sys_days(std::chrono::year(9999) / 12 / 31), format), format) ==
          sys_seconds(sys_days(std::chrono::year(9999) / 12 / 31)));
  }
}

TEST_CASE("values out of range count as the nearest that is in range", "[rtc-time]") {
  const RtcTime wild{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  CHECK(from_rtc(wild, binary_24) == sys_days(std::chrono::year(9999) / 12 / 31) + 23h + 59min + 59s);
  CHECK(from_rtc(wild, bcd_12) == sys_days(std::chrono::year(9999) / 12 / 31) + 12h + 59min + 59s);
  const RtcTime zero{0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(from_rtc(zero, bcd_24) == sys_seconds(sys_days(std::chrono::year(0) / 1 / 1)));
  const RtcTime february_30{0, 0, 0, 0, 30, 2, 23, 20};
  CHECK(from_rtc(february_30, binary_24) == sys_seconds(sys_days(std::chrono::year(2023) / 2 / 28)));
}

TEST_CASE("an alarm comes at the next second that matches all three registers", "[rtc-time]") {
  const RtcAlarm at_22_00_30{0x30, 0x00, 0x22};
  CHECK(next_alarm(at_22_00_30, bcd_24, leap_evening) == leap_midnight + 22h + 30s);
  CHECK(next_alarm(at_22_00_30, bcd_24, leap_midnight + 22h + 29s) == leap_midnight + 22h + 30s);
  CHECK(next_alarm(at_22_00_30, bcd_24, leap_midnight + 22h + 30s) == leap_midnight + 46h + 30s);
  CHECK(next_alarm({0x30, 0x00, 0x8a}, bcd_12, leap_evening) == std::nullopt);  // 0x8a is no BCD hour
  CHECK(next_alarm({30, 0, 0x8a}, binary_12, leap_evening) == leap_midnight + 22h + 30s);
  CHECK(next_alarm({0x30, 0x00, 0x90}, bcd_12, leap_evening) == leap_midnight + 22h + 30s);
}

TEST_CASE("an alarm value of 0xc0 or above stands for every second, minute or hour", "[rtc-time]") {
  CHECK(next_alarm({0xc0, 0xff, 0xc1}, bcd_24, leap_evening) == leap_evening + 1s);
  CHECK(next_alarm({0x00, 0xff, 0xff}, bcd_24, leap_evening) == leap_midnight + 21h + 59min);
  CHECK(next_alarm({0x07, 0x58, 0xff}, bcd_24, leap_evening) == leap_evening + 1h);
  CHECK(next_alarm({0xff, 0x58, 0x21}, bcd_24, leap_evening) == leap_evening + 1s);
  CHECK(next_alarm({0xff, 0x58, 0x21}, bcd_24, leap_evening + 52s) == leap_midnight + 45h + 58min);
}

TEST_CASE("an alarm that no time of day matches never comes", "[rtc-time]") {
  CHECK(next_alarm({0x60, 0x00, 0x00}, bcd_24, leap_evening) == std::nullopt);
  CHECK(next_alarm({0x00, 0x0a, 0x00}, bcd_24, leap_evening) == std::nullopt);
  CHECK(next_alarm({0x00, 0x00, 0x24}, bcd_24, leap_evening) == std::nullopt);
  CHECK(next_alarm({0xff, 0xff, 0x24}, bcd_24, leap_evening) == std::nullopt);
}
