/// The names of a chart's colours.
#pragma once

#include <string>
#include <vector>

#include "report/chart/drawing.hpp"

namespace kvmbench::report {

/// Draws coloured squares with their names from `y` on, in as many lines as they need; returns where what
/// follows may begin.
[[nodiscard]] double draw_legend(Drawing& drawing, double y, const std::vector<std::string>& names);

}  // namespace kvmbench::report
