#include "report/report_charts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "report/hardware_charts.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {

Drawing reasons_chart(const Report& report, const Account& account, ReasonOrder order, double width) {
  const Clock clock(report.snapshot.tsc_khz);
  const bool by_count = order == ReasonOrder::count;
  std::vector<const stats::ReasonStats*> reasons;
  for (const stats::ReasonStats& reason : account.reasons) reasons.push_back(&reason);
  if (by_count) {
    std::stable_sort(reasons.begin(), reasons.end(),
                     [](const auto* left, const auto* right) { return left->count > right->count; });
  }
  std::vector<Bar> bars;
  for (const stats::ReasonStats* reason : reasons) {
    const std::uint64_t figure = by_count ? reason->count : reason->service.sum;
    const std::uint64_t whole = by_count ? account.total.count : account.total.service.sum;
    bars.push_back({.label = stats::userspace_reason_name(reason->reason),
                    .parts = {static_cast<double>(figure)},
                    .value = fmt::format("{} ({} %)", by_count ? grouped(figure) : clock.show(figure),
                                         per_cent(figure, whole))});
  }
  return bar_chart(by_count ? "Exits by reason" : "Service time by reason", bars, {}, width);
}

Drawing phases_chart(const Report& report, double width) {
  const Clock clock(report.snapshot.tsc_khz);
  const std::vector<Sums> sums = sums_by_phase(report.snapshot);
  std::vector<Bar> bars;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    bars.push_back({.label = report.snapshot.phases[i].label.name(),
                    .parts = {static_cast<double>(sums[i].service), static_cast<double>(sums[i].run)},
                    .value = fmt::format("{}, {}", clock.show(sums[i].service + sums[i].run),
                                         exits_in_words(sums[i].count))});
  }
  return bar_chart("vCPU time by phase", bars, {"service (kvmbench)", "run (guest and kernel)"}, width);
}

std::vector<Distribution> service_distributions(const Account& account) {
  std::vector<Distribution> distributions;
  for (const stats::ReasonStats& reason : account.reasons) {
    distributions.push_back({stats::userspace_reason_name(reason.reason), reason.service});
  }
  return distributions;
}

std::string to_svg(const Report& report, Chart chart, const Timeline* timeline) {
  constexpr double width = 640;
  const auto traced = report.snapshot.traced();
  // Of another program's VM, there are the hardware's exits and no others.
  const bool hardware = report.snapshot.exits() == 0 && traced && !traced->reasons.empty();
  switch (chart) {
    case Chart::reasons:
      if (hardware) return hardware_reasons_chart(*traced, ReasonOrder::service, width).file();
      return reasons_chart(report, account_of(report.snapshot), ReasonOrder::service, width).file();
    case Chart::phases:
      return phases_chart(report, width).file();
    case Chart::histogram:
      if (hardware)
        return histogram_chart("Time out of the guest of a hardware exit",
                               out_of_guest_distributions(*traced), Clock(tracer_khz), width)
            .file();
      return histogram_chart("Service time of an exit", service_distributions(account_of(report.snapshot)),
                             Clock(report.snapshot.tsc_khz), width)
          .file();
    case Chart::timeline:
      break;
  }
  if (timeline == nullptr || timeline->intervals().empty()) {
    throw UsageError(
        "a chart over time needs intervals: run with --interval and give its file by --intervals");
  }
  return timeline_chart(*timeline, width).file();
}

}  // namespace kvmbench::report
