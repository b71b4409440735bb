/// The charts of a report.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "report/chart/charts.hpp"
#include "report/report.hpp"
#include "report/rows.hpp"
#include "report/timeline.hpp"

namespace kvmbench::report {

/// By service time, or by count; each sorted by its own figure.
enum class ReasonOrder { service, count };
[[nodiscard]] Drawing reasons_chart(const Report& report, const Account& account, ReasonOrder order,
                                    double width);
/// vCPU time by phase, in the order of the phases, service and run time apart.
[[nodiscard]] Drawing phases_chart(const Report& report, double width);
/// Service time of each reason, for histogram_chart.
[[nodiscard]] std::vector<Distribution> service_distributions(const Account& account);

/// A chart for papers and READMEs, as a file of SVG.
enum class Chart { reasons, phases, histogram, timeline };
inline constexpr std::array<std::string_view, 4> chart_names{"reasons", "phases", "histogram", "timeline"};
/// Throws UsageError where the timeline is wanted and there is none.
[[nodiscard]] std::string to_svg(const Report& report, Chart chart, const Timeline* timeline);

}  // namespace kvmbench::report
