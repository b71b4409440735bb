#include "report/experiment_tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "report/units.hpp"

namespace kvmbench::report {
namespace {

using Unit = ExperimentColumn::Unit;

std::string whole(double number) {
  if (number < 0) return '-' + whole(-number);
  return number < 1e18 ? grouped(static_cast<std::uint64_t>(std::llround(number)))
                       : fmt::format("{:.3g}", number);
}

std::string in_unit(double number, Unit unit) {
  switch (unit) {
    case Unit::seconds:
      return number < 0 ? '-' + duration(-number) : duration(number);
    case Unit::per_second:
      return whole(number) + "/s";
    case Unit::bytes_per_second:
      return ratio(number / 1e6) + " MB/s";
    case Unit::ratio:
      return number < 0 ? '-' + ratio(-number) : ratio(number);
    case Unit::share:
      return fmt::format("{:.1f}%", 100 * number);
    case Unit::words:
    case Unit::count:
    case Unit::cycles:
      break;
  }
  return whole(number);
}

/// The greater distance of the least and the most, as a share of the median.
std::string spread_of(const Spread& spread) {
  if (spread.repetitions < 2 || spread.median == 0) return {};
  const double farthest = std::max(spread.most - spread.median, spread.median - spread.least);
  return fmt::format(" ±{:.0f}%", std::min(100 * farthest / std::abs(spread.median), 9999.0));
}

Cell cell_of(const ExperimentCell& cell, Unit unit) {
  const std::string text = shown(cell, unit);
  if (const auto* number = std::get_if<double>(&cell)) return figure(text, *number);
  if (const auto* spread = std::get_if<Spread>(&cell)) return figure(text, spread->median);
  return {text, ""};
}

std::string name_of(const ExperimentTable& table, const ExperimentRow& row) {
  std::string name;
  for (std::size_t i = 0; i < row.cells.size() && i < table.columns.size(); ++i) {
    if (std::holds_alternative<std::monostate>(row.cells[i])) break;
    if (!name.empty()) name += ", ";
    name += shown(row.cells[i], table.columns[i].unit);
  }
  return name;
}

/// A sentence for each reason why a row is none, with the rows that have it.
std::vector<std::string> not_here(const ExperimentTable& table) {
  std::vector<std::pair<std::string_view, std::vector<std::string>>> rows_of;
  for (const ExperimentRow& row : table.rows) {
    if (row.not_here.empty()) continue;
    auto found = std::ranges::find(rows_of, row.not_here, [](const auto& one) { return one.first; });
    if (found == rows_of.end()) found = rows_of.insert(found, {row.not_here, {}});
    found->second.push_back(name_of(table, row));
  }
  std::vector<std::string> sentences;
  for (const auto& [why, rows] : rows_of) {
    const bool all = rows.size() == table.rows.size() && rows.size() > 1;
    sentences.push_back(
        fmt::format("Not here: {}: {}.", all ? "any of it" : fmt::format("{}", fmt::join(rows, "; ")), why));
  }
  return sentences;
}

std::string exact_counts(const ExperimentResult& result) {
  const auto wrong = std::count_if(result.exact.begin(), result.exact.end(),
                                   [](const ExactCount& count) { return !count.holds(); });
  if (result.exact.empty()) return {};
  if (wrong == 0)
    return fmt::format("All {} counts of exits that are determined are as they must be.",
                       result.exact.size());
  std::string text =
      fmt::format("Of {} counts of exits that are determined, {} are wrong:", result.exact.size(), wrong);
  for (const ExactCount& count : result.exact) {
    if (count.holds()) continue;
    text +=
        fmt::format(" {}: {} in place of {};", count.what, grouped(count.counted), grouped(count.expected));
  }
  text.back() = '.';
  return text;
}

std::string repetitions(const ExperimentResult& result) {
  const auto [least, most] = result.repetitions();
  if (most == 0) return {};
  const std::string budget = fmt::format("{:g} s", result.budget_seconds);
  if (most == 1)
    return fmt::format(
        "One repetition fitted into the budget of {}: the spread is not known; a greater "
        "--budget tells it.",
        budget);
  const std::string number = least == most ? fmt::to_string(most) : fmt::format("{} to {}", least, most);
  return fmt::format(
      "Medians of {} repetitions, the arms in turn; ± is how far the farthest lies from the median.{}",
      number, least < 3 ? fmt::format(" The budget of {} had room for no more.", budget) : "");
}

}  // namespace

std::string shown(const ExperimentCell& cell, Unit unit) {
  if (const auto* words = std::get_if<std::string>(&cell)) return *words;
  if (const auto* number = std::get_if<double>(&cell)) return in_unit(*number, unit);
  if (const auto* spread = std::get_if<Spread>(&cell))
    return in_unit(spread->median, unit) + spread_of(*spread);
  return "-";
}

PlainTable plain_table(const ExperimentTable& table) {
  PlainTable plain{
      .id = table.id, .title = table.title, .columns = {}, .rows = {}, .total = {}, .sentences = {}};
  for (const ExperimentColumn& column : table.columns)
    plain.columns.push_back(
        {.title = column.title, .words = column.unit == Unit::words, .dropped = column.dropped});
  for (const ExperimentRow& row : table.rows) {
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      cells.push_back(cell_of(i < row.cells.size() ? row.cells[i] : ExperimentCell{}, table.columns[i].unit));
    }
    plain.rows.push_back(std::move(cells));
  }
  plain.sentences = table.notes;
  std::ranges::move(not_here(table), std::back_inserter(plain.sentences));
  return plain;
}

std::vector<std::string> remarks(const ExperimentResult& result) {
  std::vector<std::string> sentences;
  for (const std::string& sentence : {exact_counts(result), repetitions(result)}) {
    if (!sentence.empty()) sentences.push_back(sentence);
  }
  for (const std::string& failure : result.failures) sentences.push_back("FAILED: " + failure);
  return sentences;
}

}  // namespace kvmbench::report
