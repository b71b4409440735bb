/// The charts of a comparison.
#pragma once

#include <string>
#include <vector>

#include "report/chart/charts.hpp"
#include "report/compare.hpp"

namespace kvmbench::report {

/// Exits, and service time, of each row: a bar a side, divided where the comparison divides. Times of sides
/// whose clocks' rates are not known are no bars.
[[nodiscard]] Drawing compared_counts(const Comparison& comparison, const std::string& title,
                                      const std::vector<ComparedRow>& rows, double width);
[[nodiscard]] Drawing compared_times(const Comparison& comparison, const std::string& title,
                                     const std::vector<ComparedRow>& rows, double width);

/// Exits by reason, as a file of SVG.
[[nodiscard]] std::string to_svg(const Comparison& comparison);

}  // namespace kvmbench::report
