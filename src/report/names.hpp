/// Names that the machine-readable formats share.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "stats/snapshot.hpp"

namespace kvmbench::report {

struct Percentile {
  std::string_view name;
  double quantile;
};
inline constexpr std::array<Percentile, 4> percentiles{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

inline constexpr std::array<std::string_view, 3> direction_names{"none", "read", "write"};
[[nodiscard]] constexpr std::string_view name_of(Direction direction) {
  return direction_names[static_cast<std::size_t>(direction)];
}

inline constexpr std::array<std::string_view, 8> phase_kind_names{
    "start", "post_code", "mark", "named", "userspace_output", "serial_match", "power_off", "further"};
[[nodiscard]] constexpr std::string_view name_of(stats::PhaseLabel::Kind kind) {
  return phase_kind_names[static_cast<std::size_t>(kind)];
}

/// The enumerator of type Enum whose name is `name` in `names`.
template <typename Enum, std::size_t n>
[[nodiscard]] constexpr std::optional<Enum> named(const std::array<std::string_view, n>& names,
                                                  std::string_view name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace kvmbench::report
