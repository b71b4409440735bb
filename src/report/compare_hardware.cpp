#include "report/compare_hardware.hpp"

#include <algorithm>
#include <map>

#include "stats/hardware_reasons.hpp"

namespace kvmbench::report {
namespace {

/// Of every side that was traced, none as long as nothing is added.
std::vector<std::optional<HardwareSums>> no_exits(const Comparison& comparison) {
  std::vector<std::optional<HardwareSums>> sides;
  for (const Side& side : comparison.sides) {
    const bool traced = side.report->snapshot.traced().has_value();
    sides.push_back(traced ? std::optional(HardwareSums{}) : std::nullopt);
  }
  return sides;
}

std::uint64_t most(const ComparedHardwareRow& row) {
  std::uint64_t count = 0;
  for (const std::optional<HardwareSums>& side : row.sides) count = std::max(count, side ? side->count : 0);
  return count;
}

}  // namespace

void HardwareSums::add(const stats::HardwareReasonStats& stats) {
  count += stats.count;
  nanoseconds += stats.out_of_guest.sum;
}

void add_hardware_rows(Comparison& comparison) {
  const std::vector<std::optional<HardwareSums>> none = no_exits(comparison);
  comparison.hardware_total = {"total", none};
  std::map<std::string, ComparedHardwareRow> rows;  // by name: hosts of two vendors have some in common
  for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
    const std::optional<stats::TracedExits> traced = comparison.sides[i].report->snapshot.traced();
    if (!traced) continue;
    for (const stats::HardwareReasonStats& stats : traced->reasons) {
      const std::string name = stats::hardware_reason_name(traced->vendor, stats.reason);
      rows.try_emplace(name, ComparedHardwareRow{name, none}).first->second.sides[i]->add(stats);
      comparison.hardware_total.sides[i]->add(stats);
    }
  }
  for (auto& [name, row] : rows) comparison.hardware_reasons.push_back(std::move(row));
  std::ranges::stable_sort(comparison.hardware_reasons, std::ranges::greater{}, most);
}

}  // namespace kvmbench::report
