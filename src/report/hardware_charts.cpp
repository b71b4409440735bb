#include "report/hardware_charts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/units.hpp"

namespace kvmbench::report {
namespace {

std::vector<stats::HardwareReasonStats> sorted(const stats::TracedExits& traced, ReasonOrder order) {
  std::vector<stats::HardwareReasonStats> reasons = traced.reasons;
  std::stable_sort(reasons.begin(), reasons.end(), [order](const auto& left, const auto& right) {
    return order == ReasonOrder::count ? left.count > right.count
                                       : left.out_of_guest.sum > right.out_of_guest.sum;
  });
  return reasons;
}

}  // namespace

Drawing hardware_reasons_chart(const stats::TracedExits& traced, ReasonOrder order, double width) {
  const Clock clock(tracer_khz);
  const bool by_count = order == ReasonOrder::count;
  const auto figure_of = [by_count](const stats::HardwareReasonStats& reason) {
    return by_count ? reason.count : reason.out_of_guest.sum;
  };
  const std::vector<stats::HardwareReasonStats> reasons = sorted(traced, order);
  std::uint64_t whole = 0;
  for (const stats::HardwareReasonStats& reason : reasons) whole += figure_of(reason);
  std::vector<Bar> bars;
  for (const stats::HardwareReasonStats& reason : reasons) {
    const std::uint64_t figure = figure_of(reason);
    bars.push_back({.label = stats::hardware_reason_name(traced.vendor, reason.reason),
                    .parts = {static_cast<double>(figure)},
                    .value = fmt::format("{} ({} %)", by_count ? grouped(figure) : clock.show(figure),
                                         per_cent(figure, whole))});
  }
  return bar_chart(by_count ? "Hardware exits by reason" : "Time out of the guest by hardware reason", bars,
                   {}, width);
}

std::vector<Distribution> out_of_guest_distributions(const stats::TracedExits& traced) {
  std::vector<Distribution> distributions;
  for (const stats::HardwareReasonStats& reason : sorted(traced, ReasonOrder::service)) {
    if (reason.out_of_guest.count() != 0)
      distributions.push_back(
          {stats::hardware_reason_name(traced.vendor, reason.reason), reason.out_of_guest});
  }
  return distributions;
}

}  // namespace kvmbench::report
