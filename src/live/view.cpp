#include "live/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <tuple>

#include "report/printable.hpp"
#include "report/text_table.hpp"
#include "report/units.hpp"

namespace kvmbench::live {
namespace {

constexpr std::array<const char*, 4> sort_names{"rate", "total", "time", "p99"};

}  // namespace

std::string rate_in_words(double rate) {
  return rate > 0 && rate < 10 ? fmt::format("{:.1f}", rate)
                               : report::grouped(static_cast<std::uint64_t>(rate + 0.5));
}

Key key_of(std::string_view bytes) {
  if (bytes == "\x1b[A" || bytes == "\x1bOA") return Key::up;
  if (bytes == "\x1b[B" || bytes == "\x1bOB") return Key::down;
  if (bytes == "\r" || bytes == "\n") return Key::enter;
  if (bytes == "\x7f" || bytes == "\b" || bytes == "\x1b") return Key::back;
  if (bytes == "1") return Key::by_reason;
  if (bytes == "2") return Key::by_key;
  if (bytes == "3") return Key::by_vcpu;
  if (bytes == "s") return Key::sort;
  if (bytes == "p" || bytes == " ") return Key::pause;
  if (bytes == "q" || bytes == "\x03") return Key::quit;  // Ctrl-C, which a raw terminal sends as a byte
  return Key::none;
}

void View::show(std::shared_ptr<const Moment> moment) {
  if (paused_) return;
  moment_ = std::move(moment);
  keep_selection_inside();
}

void View::press(Key key) {
  const auto group = [this](Grouping grouping) {
    grouping_ = grouping;
    only_reason_.reset();
    selected_ = 0;
  };
  switch (key) {
    case Key::by_reason:
      return group(Grouping::reason);
    case Key::by_key:
      return group(Grouping::key);
    case Key::by_vcpu:
      return group(Grouping::vcpu);
    case Key::sort:
      sort_ = static_cast<Sort>((static_cast<std::size_t>(sort_) + 1) % sort_names.size());
      return;
    case Key::pause:
      paused_ = !paused_;
      return;
    case Key::up:
      if (selected_ > 0) --selected_;
      return;
    case Key::down:
      ++selected_;
      keep_selection_inside();
      return;
    case Key::enter: {
      const std::vector<Row> rows = sorted_rows();
      if (grouping_ != Grouping::reason || rows.empty()) return;
      const std::uint64_t reason = rows[selected_].id;
      group(Grouping::key);
      only_reason_ = reason;
      return;
    }
    case Key::back:
      return group(Grouping::reason);
    case Key::none:
    case Key::quit:
      return;
  }
}

void View::keep_selection_inside() {
  const std::size_t rows = this->rows().size();
  selected_ = rows == 0 ? 0 : std::min(selected_, rows - 1);
}

std::vector<Row> View::rows() const {
  return moment_ ? moment_->rows(grouping_, only_reason_) : std::vector<Row>{};
}

std::vector<Row> View::sorted_rows() const {
  std::vector<Row> rows = this->rows();
  const auto figure = [this](const Row& row) {
    const auto total = static_cast<double>(row.total);
    switch (sort_) {
      case Sort::rate:
        return std::tuple(row.rate, total);
      case Sort::total:
        return std::tuple(total, row.rate);
      case Sort::p99:
        return std::tuple(row.p99_seconds, total);
      case Sort::time:
        break;
    }
    return std::tuple(row.time_share.value_or(0), total);
  };
  // Rows without a difference keep the order of their names, so that they do not change places.
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Row& left, const Row& right) { return figure(left) > figure(right); });
  return rows;
}

void View::list_rows(std::vector<std::string>& lines, Size size, std::size_t room, bool colour) const {
  using Align = report::TextColumn::Align;
  report::TextTable table(
      {{.title = moment_ ? moment_->title(grouping_, only_reason_) : "", .align = Align::left},
       {.title = "exits/s"},
       {.title = "total", .dropped = 1},
       {.title = "time %"},
       {.title = "p99", .dropped = 2}});
  const std::vector<Row> rows = sorted_rows();
  // The table's titles and the line below them take two of the lines; the rows around the selected one show.
  const std::size_t shown = room > 2 ? room - 2 : 0;
  const std::size_t from = selected_ >= shown && shown > 0 ? selected_ - shown + 1 : 0;
  const std::size_t to = std::min(rows.size(), from + shown);
  for (std::size_t i = from; i < to; ++i) {
    table.add({report::printable(rows[i].name), rate_in_words(rows[i].rate), report::grouped(rows[i].total),
               rows[i].time_share ? fmt::format("{:.1f}", 100 * *rows[i].time_share) : "-",
               rows[i].p99_seconds > 0 ? report::duration(rows[i].p99_seconds) : "-"});
  }
  std::istringstream rendered(table.render(size.columns - 2, colour));
  std::size_t number = 0;
  for (std::string line; std::getline(rendered, line); ++number) {
    const bool selected = number >= 2 && from + number - 2 == selected_;
    lines.push_back((selected ? "> " : "  ") + line);
  }
}

std::vector<std::string> View::render(Size size, bool colour, const std::vector<std::string>& console) const {
  size.columns = std::max(size.columns, 40u);
  size.rows = std::max(size.rows, 8u);
  constexpr std::size_t frame = 3;  // the headline, the remark, the keys
  std::size_t pane = console.empty() ? 0 : size.rows / 3;
  if (pane < 4) pane = 0;
  const std::size_t room = size.rows - frame - pane;

  std::vector<std::string> lines;
  const std::string headline = moment_ ? moment_->headline() : "";
  lines.push_back(
      report::emphasised(report::cut(headline + (paused_ ? "  PAUSED" : ""), size.columns), colour));
  lines.push_back(moment_ ? report::cut(moment_->remark(), size.columns) : "");
  list_rows(lines, size, room, colour);
  lines.resize(frame - 1 + room);
  if (pane > 0) {
    lines.push_back(
        report::subdued(report::cut("-- console " + std::string(size.columns, '-'), size.columns), colour));
    const std::size_t last = std::min(pane - 1, console.size());
    for (std::size_t i = console.size() - last; i < console.size(); ++i) {
      lines.push_back(report::cut(report::printable(console[i]), size.columns));
    }
  }
  lines.resize(size.rows - 1);
  constexpr unsigned columns_of_words = 79;
  const char* go = paused_ ? "go on" : "pause";
  const char* sort = sort_names[static_cast<std::size_t>(sort_)];
  const std::string keys =
      size.columns < columns_of_words
          ? fmt::format("1 2 3 s: {} enter esc p {} q quit", sort, go)
          : fmt::format("1 reasons  2 keys  3 vCPUs  s sort: {}  enter into  esc back  p {}  q quit", sort,
                        go);
  lines.push_back(report::subdued(report::cut(keys, size.columns), colour));
  return lines;
}

std::string View::line() const {
  if (!moment_) return {};
  std::vector<Row> rows = moment_->rows(Grouping::reason, {});
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& left, const Row& right) { return left.rate > right.rate; });
  std::string line = moment_->headline();
  for (const Row& row : rows) {
    if (row.rate > 0) line += fmt::format("; {} {}/s", report::printable(row.name), rate_in_words(row.rate));
  }
  return line;
}

}  // namespace kvmbench::live
