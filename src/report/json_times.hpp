/// Times and their histograms in a saved report.
#pragma once

#include "report/json_node.hpp"
#include "report/json_sections.hpp"
#include "stats/time_stats.hpp"

namespace kvmbench::report {

/// Sums and percentiles.
[[nodiscard]] WrittenJson figures(const stats::TimeStats& times);
[[nodiscard]] WrittenJson figures_and_histogram(const stats::TimeStats& times);

/// What figures_and_histogram() wrote, into `times`, which are none yet. `values` and `cycles` are over the
/// whole report.
void read_times(const Node& node, BoundedSum& values, BoundedSum& cycles, stats::TimeStats& times);

}  // namespace kvmbench::report
