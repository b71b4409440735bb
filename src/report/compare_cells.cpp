#include "report/compare_cells.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kvmbench::report {
namespace {

/// "2 keys, 1,200 exits".
std::string only(const std::vector<ComparedRow>& keys, std::size_t side) {
  std::size_t rows = 0;
  std::uint64_t exits = 0;
  for (const ComparedRow& row : keys) {
    const bool others = std::count_if(row.sides.begin(), row.sides.end(),
                                      [](const std::optional<Sums>& sums) { return sums.has_value(); }) > 1;
    if (!row.sides[side] || others) continue;
    ++rows;
    exits += row.sides[side]->count;
  }
  if (rows == 0) return {};
  return fmt::format("{} key{}, {}", grouped(rows), rows == 1 ? "" : "s", exits_in_words(exits));
}

}  // namespace

std::string letter_of(std::size_t side) {
  constexpr std::size_t letters = 26;
  const std::string letter(1, static_cast<char>('A' + side % letters));
  return side < letters ? letter : letter + std::to_string(side / letters);
}

Clock ComparisonCells::clock(std::size_t side) const {
  return Clock(comparison_.sides[side].report->snapshot.tsc_khz);
}

std::string ComparisonCells::divided(std::size_t side, std::uint64_t count) const {
  if (comparison_.counts.empty()) return grouped(count);
  return ratio(static_cast<double>(count) / static_cast<double>(comparison_.counts[side]));
}

std::string ComparisonCells::count(std::size_t side, const std::optional<std::uint64_t>& count) const {
  return count ? divided(side, *count) : "-";
}

std::string ComparisonCells::count(std::size_t side, const std::optional<Sums>& sums) const {
  return sums ? divided(side, sums->count) : "-";
}

std::string ComparisonCells::service(std::size_t side, const std::optional<Sums>& sums) const {
  if (!sums) return "-";
  const double by = comparison_.counts.empty() ? 1 : static_cast<double>(comparison_.counts[side]);
  return clock(side).show(static_cast<double>(sums->service) / by);
}

std::string ComparisonCells::ratio_each(std::optional<double> all) const {
  if (all && !comparison_.counts.empty())
    *all *= static_cast<double>(comparison_.counts[0]) / static_cast<double>(comparison_.counts[1]);
  return ratio(all);
}

std::string ComparisonCells::count_ratio(const ComparedRow& row) const {
  return ratio_each(report::count_ratio(row.sides[0], row.sides[1]));
}

std::string ComparisonCells::service_ratio(const ComparedRow& row) const {
  if (!row.sides[0] || !row.sides[1]) return "-";
  return ratio_each(report::time_ratio(comparison_, row.sides[0]->service, row.sides[1]->service));
}

std::string ComparisonCells::count(std::size_t side, const std::optional<HardwareSums>& sums) const {
  return sums ? divided(side, sums->count) : "-";
}

std::string ComparisonCells::out_of_guest(std::size_t side, const std::optional<HardwareSums>& sums) const {
  constexpr double nanosecond = 1e-9;
  if (!sums || sums->count == 0) return "-";
  const double by = comparison_.counts.empty() ? 1 : static_cast<double>(comparison_.counts[side]);
  return duration(static_cast<double>(sums->nanoseconds) * nanosecond / by);
}

std::string ComparisonCells::count_ratio(const ComparedHardwareRow& row) const {
  return hardware_ratio(row, &HardwareSums::count);
}

std::string ComparisonCells::time_ratio(const ComparedHardwareRow& row) const {
  return hardware_ratio(row, &HardwareSums::nanoseconds);
}

std::string ComparisonCells::hardware_ratio(const ComparedHardwareRow& row,
                                            std::uint64_t HardwareSums::*figure) const {
  const std::optional<HardwareSums>&from = row.sides[0], &to = row.sides[1];
  if (!from || !to || (*from).*figure == 0) return "-";
  return ratio_each(static_cast<double>((*to).*figure) / static_cast<double>((*from).*figure));
}

/// KVM's own count, which is of no reason.
std::string ComparisonCells::hardware_exits() const {
  std::string sides;
  for (std::size_t i = 0; i < comparison_.sides.size(); ++i) {
    sides += fmt::format("{}{} {}", sides.empty() ? "" : ", ", letter_of(i),
                         comparison_.hardware_exits[i] ? count(i, comparison_.hardware_exits[i]) : "unknown");
  }
  if (has_ratios()) {
    const std::optional<std::uint64_t>&from = comparison_.hardware_exits[0],
          &to = comparison_.hardware_exits[1];
    if (from && to && *from != 0) {
      sides += fmt::format(": {} times as many",
                           ratio_each(static_cast<double>(*to) / static_cast<double>(*from)));
    }
  }
  return fmt::format("Hardware exits{}: {}.", divided(), sides);
}

std::string ComparisonCells::devices(const std::optional<ServiceSide>& of) {
  return of ? fmt::format("{}", fmt::join(of->devices, ", ")) : "-";
}

ComparisonCells::Each ComparisonCells::each(std::size_t side, const std::optional<ServiceSide>& of) const {
  if (!of || of->count == 0) return {"-", "-", "-", "-", "-"};
  const auto by_count = [&](std::uint64_t figure) {
    return static_cast<double>(figure) / static_cast<double>(of->count);
  };
  const std::optional<std::uint64_t>& hardware = comparison_.hardware_exits[side];
  constexpr double nanosecond = 1e-9;
  return {ratio(by_count(of->exits.count)), clock(side).show(by_count(of->exits.service)),
          of->out_of_guest ? duration(by_count(*of->out_of_guest) * nanosecond) : "-",
          ratio(by_count(comparison_.total.sides[side]->count)), hardware ? ratio(by_count(*hardware)) : "-"};
}

std::string ComparisonCells::description(std::size_t side) const {
  const Report& report = *comparison_.sides[side].report;
  return fmt::format("{}: run of {}, {}; paging {}", comparison_.sides[side].label, report.started,
                     ending_of(report), paging_of(report));
}

std::string ComparisonCells::divided() const {
  if (comparison_.counts.empty()) return {};
  std::string counts;
  for (const std::uint64_t count : comparison_.counts)
    counts += (counts.empty() ? "" : " and ") + grouped(count);
  const bool same = std::all_of(comparison_.counts.begin(), comparison_.counts.end(),
                                [&](std::uint64_t count) { return count == comparison_.counts[0]; });
  return fmt::format(", divided by {} ({})", comparison_.per, same ? grouped(comparison_.counts[0]) : counts);
}

std::vector<std::string> ComparisonCells::sentences() const {
  std::vector<std::string> sentences;
  if (has_ratios() && comparison_.total.sides[0]->count != 0) {
    sentences.push_back(fmt::format("B has {} times A's exits and {} times A's service time{}.",
                                    count_ratio(comparison_.total), service_ratio(comparison_.total),
                                    comparison_.counts.empty() ? "" : " for each of the " + comparison_.per));
  }
  sentences.push_back(hardware_exits());
  for (std::size_t i = 0; i < comparison_.sides.size(); ++i) {
    const std::string keys = only(comparison_.keys, i);
    if (!keys.empty()) sentences.push_back(fmt::format("Only in {}: {}.", letter_of(i), keys));
  }
  return sentences;
}

}  // namespace kvmbench::report
