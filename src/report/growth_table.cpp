#include "report/growth_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/hardware_accounting.hpp"
#include "report/kernel_cells.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {

using cells::nanosecond;

TextTable growth_table(const stats::Snapshot& interval, double seconds) {
  TextTable table({{.title = "reason", .align = TextColumn::Align::left},
                   {.title = "count"},
                   {.title = "/s", .dropped = 4},
                   {.title = "out of guest", .dropped = 2},
                   {.title = "avg", .dropped = 1},
                   {.title = "p99", .dropped = 3}});
  const auto rate = [seconds](std::uint64_t number) {
    return grouped(static_cast<std::uint64_t>(std::llround(static_cast<double>(number) / seconds)));
  };
  const auto nanoseconds = [](double number) { return duration(number * nanosecond); };
  const auto row = [&](const std::string& name, const stats::HardwareReasonStats& reason) {
    const stats::TimeStats& out = reason.out_of_guest;
    return std::vector<std::string>{name,
                                    grouped(reason.count),
                                    rate(reason.count),
                                    nanoseconds(static_cast<double>(out.sum)),
                                    nanoseconds(out.mean()),
                                    nanoseconds(static_cast<double>(out.quantile(0.99)))};
  };
  stats::TracedExits traced = interval.traced().value_or(stats::TracedExits{});
  std::stable_sort(traced.reasons.begin(), traced.reasons.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  stats::HardwareReasonStats total;
  for (const stats::HardwareReasonStats& reason : traced.reasons) {
    table.add(row(stats::hardware_reason_name(traced.vendor, reason.reason), reason));
    total += reason;
  }
  if (!traced.reasons.empty()) {
    table.set_total(row("total", total));
    return table;
  }
  for (const stats::ReturnCount& each : traced.returns) {
    table.add({"returned: " + stats::userspace_reason_name(each.reason), grouped(each.count),
               rate(each.count), "-", "-", "-"});
  }
  const std::uint64_t counted =
      hardware_accounting(interval).value_or(HardwareAccounting{}).counted.value_or(0);
  table.set_total({"exits by KVM's count", grouped(counted), rate(counted), "-", "-", "-"});
  return table;
}

}  // namespace kvmbench::report
