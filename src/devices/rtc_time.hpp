/// How the MC146818A writes a time into its registers (data sheet, "Time, Calendar and Alarm Locations").
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace kvmbench {

/// Register B's DM and 24/12.
struct RtcFormat {
  bool binary = false;   ///< else BCD
  bool hours_24 = true;  ///< else 1 to 12, with bit 7 set after noon
};

/// The registers as they are read.
struct RtcTime {
  std::uint8_t seconds;
  std::uint8_t minutes;
  std::uint8_t hours;
  std::uint8_t day_of_week;  ///< 1 is Sunday
  std::uint8_t day_of_month;
  std::uint8_t month;
  std::uint8_t year;  ///< of the century
  std::uint8_t century;

  friend bool operator==(const RtcTime&, const RtcTime&) = default;
};

/// The three alarm registers; a value of 0xc0 or above stands for every second, minute or hour.
struct RtcAlarm {
  std::uint8_t seconds;
  std::uint8_t minutes;
  std::uint8_t hours;
};

/// Years are shown modulo 10,000.
[[nodiscard]] RtcTime to_rtc(std::chrono::sys_seconds time, RtcFormat format) noexcept;

/// What is out of its range counts as the end of the range nearest to it; the day of the week does not
/// matter.
[[nodiscard]] std::chrono::sys_seconds from_rtc(const RtcTime& time, RtcFormat format) noexcept;

/// The first second after `after` at which the alarm matches; none where no time of day does.
[[nodiscard]] std::optional<std::chrono::sys_seconds> next_alarm(const RtcAlarm& alarm, RtcFormat format,
                                                                 std::chrono::sys_seconds after) noexcept;

}  // namespace kvmbench
