#include "devices/rtc_time.hpp"

#include <algorithm>

namespace kvmbench {

namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::uint8_t after_noon = 0x80;
constexpr std::uint8_t any = 0xc0;

std::uint8_t encode(unsigned value, RtcFormat format) noexcept {
  return static_cast<std::uint8_t>(format.binary ? value : value / 10 * 16 + value % 10);
}

unsigned decode(std::uint8_t value, RtcFormat format) noexcept {
  return format.binary ? value : value / 16u * 10 + value % 16u;
}

unsigned decode(std::uint8_t value, RtcFormat format, unsigned lowest, unsigned highest) noexcept {
  return std::clamp(decode(value, format), lowest, highest);
}

std::uint8_t encode_hour(unsigned hour, RtcFormat format) noexcept {
  if (format.hours_24) return encode(hour, format);
  const std::uint8_t shown = encode(hour % 12 == 0 ? 12 : hour % 12, format);
  return static_cast<std::uint8_t>(shown | (hour >= 12 ? after_noon : 0));
}

unsigned decode_hour(std::uint8_t value, RtcFormat format) noexcept {
  if (format.hours_24) return decode(value, format, 0, 23);
  const unsigned hour = decode(value & 0x7f, format, 1, 12) % 12;
  return (value & after_noon) != 0 ? hour + 12 : hour;
}

bool matches(std::uint8_t alarm, std::uint8_t shown) noexcept {
  return alarm >= any || alarm == shown;
}

/// The first of 0 to 59, from `first`, that the alarm register matches; 60 where none does.
unsigned first_match(std::uint8_t alarm, RtcFormat format, unsigned first) noexcept {
  while (first < 60 && !matches(alarm, encode(first, format))) ++first;
  return first;
}

}  // namespace

RtcTime to_rtc(sys_seconds time, RtcFormat format) noexcept {
  const sys_days day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time_of_day(time - day);
  const auto year = static_cast<unsigned>((static_cast<int>(date.year()) % 10'000 + 10'000) % 10'000);
  return {.seconds = encode(static_cast<unsigned>(time_of_day.seconds().count()), format),
          .minutes = encode(static_cast<unsigned>(time_of_day.minutes().count()), format),
          .hours = encode_hour(static_cast<unsigned>(time_of_day.hours().count()), format),
          .day_of_week = encode(std::chrono::weekday(day).c_encoding() + 1, format),
          .day_of_month = encode(static_cast<unsigned>(date.day()), format),
          .month = encode(static_cast<unsigned>(date.month()), format),
          .year = encode(year % 100, format),
          .century = encode(year / 100, format)};
}

sys_seconds from_rtc(const RtcTime& time, RtcFormat format) noexcept {
  const unsigned year = decode(time.century, format, 0, 99) * 100 + decode(time.year, format, 0, 99);
  const auto month =
      std::chrono::year(static_cast<int>(year)) / std::chrono::month(decode(time.month, format, 1, 12));
  const auto last_day = static_cast<unsigned>((month / std::chrono::last).day());
  const auto date = month / std::chrono::day(decode(time.day_of_month, format, 1, last_day));
  return sys_days(date) + std::chrono::hours(decode_hour(time.hours, format)) +
         std::chrono::minutes(decode(time.minutes, format, 0, 59)) +
         std::chrono::seconds(decode(time.seconds, format, 0, 59));
}

std::optional<sys_seconds> next_alarm(const RtcAlarm& alarm, RtcFormat format, sys_seconds after) noexcept {
  if (first_match(alarm.seconds, format, 0) == 60 || first_match(alarm.minutes, format, 0) == 60) return {};
  const sys_seconds start = after + std::chrono::seconds(1);
  const auto first_hour = std::chrono::floor<std::chrono::hours>(start);
  const auto hour_of_day =
      static_cast<unsigned>((first_hour - std::chrono::floor<std::chrono::days>(start)).count());
  for (unsigned i = 0; i <= 24; ++i) {  // the first hour again, as its match may lie before `start`
    if (!matches(alarm.hours, encode_hour((hour_of_day + i) % 24, format))) continue;
    const sys_seconds hour = first_hour + std::chrono::hours(i);
    const sys_seconds from = std::max(start, hour);
    const auto minute_from = static_cast<unsigned>((from - hour).count()) / 60;
    const auto second_from = static_cast<unsigned>((from - hour).count()) % 60;
    for (unsigned minute = first_match(alarm.minutes, format, minute_from); minute < 60;
         minute = first_match(alarm.minutes, format, minute + 1)) {
      const unsigned second = first_match(alarm.seconds, format, minute == minute_from ? second_from : 0);
      if (second < 60) return hour + std::chrono::minutes(minute) + std::chrono::seconds(second);
    }
  }
  return {};
}

}  // namespace kvmbench
