/// Cells of the tables about the kernel's counts.
#pragma once

#include <string>
#include <utility>

#include "report/plain_table.hpp"
#include "report/units.hpp"

namespace kvmbench::report::cells {

inline constexpr double nanosecond = 1e-9;

[[nodiscard]] inline Cell words(std::string text) {
  return {std::move(text), ""};
}
[[nodiscard]] inline Cell count(std::uint64_t number) {
  return figure(grouped(number), number);
}
[[nodiscard]] inline Cell time(std::uint64_t nanoseconds) {
  return figure(duration(static_cast<double>(nanoseconds) * nanosecond), nanoseconds);
}

}  // namespace kvmbench::report::cells
