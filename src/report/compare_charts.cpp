#include "report/compare_charts.hpp"

#include <fmt/format.h>

#include "report/compare_cells.hpp"

namespace kvmbench::report {
namespace {

std::vector<std::string> legends_of(const Comparison& comparison) {
  std::vector<std::string> legends;
  for (std::size_t i = 0; i < comparison.sides.size(); ++i)
    legends.push_back(fmt::format("{}: {}", letter_of(i), comparison.sides[i].label));
  return legends;
}

double divided(const Comparison& comparison, std::size_t side, double figure) {
  return comparison.counts.empty() ? figure : figure / static_cast<double>(comparison.counts[side]);
}

std::string note_of(const ComparisonCells& cells, const std::string& ratio) {
  return cells.has_ratios() && ratio != "-" ? "× " + ratio : "";
}

}  // namespace

Drawing compared_counts(const Comparison& comparison, const std::string& title,
                        const std::vector<ComparedRow>& rows, double width) {
  const ComparisonCells cells(comparison);
  std::vector<BarGroup> groups;
  for (const ComparedRow& row : rows) {
    BarGroup group{row.name, {}, note_of(cells, cells.count_ratio(row))};
    for (std::size_t i = 0; i < row.sides.size(); ++i) {
      const double count = row.sides[i] ? static_cast<double>(row.sides[i]->count) : 0;
      group.members.push_back({divided(comparison, i, count), cells.count(i, row.sides[i])});
    }
    groups.push_back(std::move(group));
  }
  return group_chart(title, groups, legends_of(comparison), width);
}

Drawing compared_times(const Comparison& comparison, const std::string& title,
                       const std::vector<ComparedRow>& rows, double width) {
  const ComparisonCells cells(comparison);
  std::vector<BarGroup> groups;
  for (const ComparedRow& row : rows) {
    BarGroup group{row.name, {}, note_of(cells, cells.service_ratio(row))};
    for (std::size_t i = 0; i < row.sides.size(); ++i) {
      const Clock clock(comparison.sides[i].report->snapshot.tsc_khz);
      const double cycles = row.sides[i] ? static_cast<double>(row.sides[i]->service) : 0;
      group.members.push_back({clock.known() ? divided(comparison, i, clock.seconds(cycles)) : 0,
                               cells.service(i, row.sides[i])});
    }
    groups.push_back(std::move(group));
  }
  return group_chart(title, groups, legends_of(comparison), width);
}

std::string to_svg(const Comparison& comparison) {
  constexpr double width = 640;
  const ComparisonCells cells(comparison);
  return compared_counts(comparison, "Exits by reason" + cells.divided(), comparison.reasons, width).file();
}

}  // namespace kvmbench::report
