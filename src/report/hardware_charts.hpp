/// Drawings of what a tracer saw.
#pragma once

#include <vector>

#include "report/chart/charts.hpp"
#include "report/report_charts.hpp"
#include "stats/traced_exits.hpp"

namespace kvmbench::report {

/// The tracer's times are nanoseconds.
inline constexpr std::uint64_t tracer_khz = 1'000'000;

/// A bar a reason; ReasonOrder::service: by the time out of the guest.
[[nodiscard]] Drawing hardware_reasons_chart(const stats::TracedExits& traced, ReasonOrder order,
                                             double width);

/// Time out of the guest of each reason, most time first, for histogram_chart with a clock of tracer_khz.
[[nodiscard]] std::vector<Distribution> out_of_guest_distributions(const stats::TracedExits& traced);

}  // namespace kvmbench::report
