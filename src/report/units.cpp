#include "report/units.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace kvmbench::report {

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string per_cent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  const double share = 100 * static_cast<double>(part) / static_cast<double>(whole);
  if (part != 0 && share < 0.05) return "<0.1";
  if (part < whole && share >= 99.95) return ">99.9";
  return fmt::format("{:.1f}", share);
}

std::string ratio(std::optional<double> value) {
  if (!value) return "-";
  if (*value >= 1e18) return fmt::format("{:.3g}", *value);
  if (*value >= 99.95) return grouped(static_cast<std::uint64_t>(std::llround(*value)));
  if (*value >= 9.995) return fmt::format("{:.1f}", *value);
  if (*value >= 0.9995) return fmt::format("{:.2f}", *value);
  return *value == 0 ? "0" : fmt::format("{:#.3g}", *value);
}

std::string duration(double seconds) {
  constexpr std::array<const char*, 4> units{"ns", "µs", "ms", "s"};
  double value = seconds * 1e9;
  std::size_t unit = 0;
  // 999.5 and above would be written with four digits.
  for (; unit + 1 < units.size() && value >= 999.5; ++unit) value /= 1000;
  const int decimals = value == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, decimals, units[unit]);
}

std::string Clock::show(double cycles) const {
  return known() ? duration(seconds(cycles)) : fmt::format("{:.0f} cycles", cycles);
}

}  // namespace kvmbench::report
