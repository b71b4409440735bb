/// The lines by which guests tell figures (guests/lib/result.h):
///
///     result arm=cpuid rounds=1000 cycles=123456 p50=120
///     unavailable arm=tsx why=this CPU has no RTM
///
/// Guests are not trusted: lines, names and their number are bounded, and what is no such line is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/experiment.hpp"

namespace kvmbench::experiments {

struct GuestResults {
  static constexpr std::size_t most_results = 4096;
  static constexpr std::size_t most_numbers = 64;  ///< of a line
  static constexpr std::size_t longest_name = 40;
  static constexpr std::size_t longest_why = 200;

  std::vector<report::GuestFigures> results;                    ///< each arm once
  std::map<std::string, std::string, std::less<>> unavailable;  ///< why, by arm; printable
  std::uint64_t malformed = 0;  ///< lines that begin as one of these and are none

  /// Null where there is no such arm.
  [[nodiscard]] const report::GuestFigures* find(std::string_view arm) const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view arm,
                                                    std::string_view name) const noexcept;
  [[nodiscard]] std::optional<double> figure(std::string_view arm, std::string_view name) const noexcept;
};

/// Of all that a guest has written; lines end in LF or CR LF. Other lines are none of this reader's.
[[nodiscard]] GuestResults parse_guest_results(std::string_view console);

}  // namespace kvmbench::experiments
