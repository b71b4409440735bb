#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "report/chart/axis.hpp"
#include "report/chart/charts.hpp"

namespace kvmbench::report {
namespace {

namespace buckets = stats::buckets;

/// Buckets [first, end) of a histogram that are shown as one column.
struct Column {
  std::size_t first;
  std::size_t end;
  std::uint64_t exits;
};

constexpr std::size_t most_columns = 96;

std::vector<Column> columns_of(const stats::Histogram& histogram) {
  std::size_t first = buckets::count, last = 0;
  for (std::size_t i = 0; i < buckets::count; ++i) {
    if (histogram.in_bucket(i) == 0) continue;
    first = std::min(first, i);
    last = i;
  }
  std::vector<Column> columns;
  if (first == buckets::count) return columns;
  std::size_t together = 1;
  while ((last - first) / together >= most_columns && together < buckets::sub_buckets) together *= 2;
  for (std::size_t i = first - first % together; i <= last; i += together) {
    Column column{i, std::min(i + together, buckets::count), 0};
    for (std::size_t bucket = column.first; bucket < column.end; ++bucket) {
      column.exits += histogram.in_bucket(bucket);
    }
    columns.push_back(column);
  }
  return columns;
}

/// A logarithm has no place for 0: the first bucket begins at half a cycle.
double lower_edge(std::size_t bucket) {
  return std::max(static_cast<double>(buckets::lower_bound(bucket)), 0.5);
}
double upper_edge(std::size_t end) {
  // The last bucket has no end: it is drawn as wide as the one before.
  return static_cast<double>(end < buckets::count ? buckets::lower_bound(end)
                                                  : buckets::lower_bound(buckets::count - 1) / 16 * 17);
}

class HistogramRow final {
 public:
  HistogramRow(Drawing& drawing, double top, const Distribution& distribution, const Clock& clock)
      : drawing_(drawing),
        top_(top),
        distribution_(distribution),
        clock_(clock),
        columns_(columns_of(distribution.times.histogram)) {
    if (!columns_.empty()) {
      // With room on both sides, so that what lies at an end is seen to be no end of the axis.
      axis_.emplace(figure(lower_edge(columns_.front().first)) / margin,
                    figure(upper_edge(columns_.back().end)) * margin, 0, drawing.width());
    }
  }

  void draw() {
    drawing_.text(0, top_ + 12, "strong", distribution_.label, Drawing::Anchor::start,
                  0.6 * drawing_.width());
    drawing_.text(drawing_.width(), top_ + 12, "faint",
                  fmt::format("{} exit{}", grouped(distribution_.times.count()),
                              distribution_.times.count() == 1 ? "" : "s"),
                  Drawing::Anchor::end);
    if (!axis_) return;
    ticks();
    columns();
    marks();
  }

  static constexpr double height = 148;

 private:
  static constexpr double plot_top = 46, plot_bottom = 118;
  static constexpr double margin = 1.25;

  /// Nanoseconds, so that ticks are round times; cycles where the clock's rate is not known.
  [[nodiscard]] double figure(double cycles) const {
    return clock_.known() ? clock_.nanoseconds(cycles) : cycles;
  }
  [[nodiscard]] std::string words(double figure) const {
    return clock_.known() ? tick_duration(figure) : fmt::format("{:g}", figure);
  }
  /// "2 µs": a tick's figure is round, and needs no more digits.
  static std::string tick_duration(double nanoseconds) {
    constexpr std::array<const char*, 4> units{"ns", "µs", "ms", "s"};
    std::size_t unit = 0;
    for (; unit + 1 < units.size() && nanoseconds >= 999.5; ++unit) nanoseconds /= 1000;
    return fmt::format("{:.3g} {}", nanoseconds, units[unit]);
  }

  void ticks() {
    drawing_.line(0, top_ + plot_bottom, drawing_.width(), top_ + plot_bottom, "axis");
    double free_from = -1;
    for (const double tick : axis_->ticks()) {
      const double x = axis_->place(tick);
      drawing_.line(x, top_ + plot_top, x, top_ + plot_bottom + 4, "grid");
      const double half = 22;
      const double middle = std::clamp(x, half, drawing_.width() - half);
      if (middle - half < free_from) continue;
      drawing_.text(middle, top_ + plot_bottom + 16, "faint", words(tick), Drawing::Anchor::middle);
      free_from = middle + half;
    }
  }

  void columns() {
    std::uint64_t highest = 1;
    for (const Column& column : columns_) highest = std::max(highest, column.exits);
    for (const Column& column : columns_) {
      if (column.exits == 0) continue;
      const double left = axis_->place(figure(lower_edge(column.first)));
      const double right = axis_->place(figure(upper_edge(column.end)));
      const double height = std::max(
          static_cast<double>(column.exits) / static_cast<double>(highest) * (plot_bottom - plot_top - 2),
          1.0);
      drawing_.rectangle(left, top_ + plot_bottom - height, std::max(right - left - 0.3, 0.8), height, "s0",
                         fmt::format("{} to {}: {}", clock_.show(buckets::lower_bound(column.first)),
                                     clock_.show(upper_edge(column.end)), grouped(column.exits)));
    }
  }

  void marks() {
    struct Mark {
      const char* name;
      double quantile;
    };
    std::string caption;
    double free_from = -1;
    for (const auto& [name, quantile] : {Mark{"p50", 0.5}, Mark{"p99", 0.99}, Mark{"p99.9", 0.999}}) {
      const stats::Cycles value = distribution_.times.quantile(quantile);
      caption += fmt::format("{}{} {}", caption.empty() ? "" : ", ", name, clock_.show(value));
      const double x = axis_->place(figure(std::max(static_cast<double>(value), 0.5)));
      drawing_.line(x, top_ + plot_top - 2, x, top_ + plot_bottom, "mark");
      const double half = 16;
      const double middle = std::clamp(x, half, drawing_.width() - half);
      if (middle - half < free_from) continue;  // the caption has it
      drawing_.text(middle, top_ + plot_top - 5, "faint", name, Drawing::Anchor::middle);
      free_from = middle + half;
    }
    drawing_.text(0, top_ + 27, "faint", caption, Drawing::Anchor::start, drawing_.width());
  }

  Drawing& drawing_;
  double top_;
  const Distribution& distribution_;
  const Clock& clock_;
  std::vector<Column> columns_;
  std::optional<LogAxis> axis_;  // none where there is nothing to show
};

}  // namespace

Drawing histogram_chart(const std::string& title, const std::vector<Distribution>& distributions,
                        const Clock& clock, double width) {
  Drawing drawing(title, width);
  double y = 0;
  if (!title.empty()) {
    drawing.text(0, 14, "heading", title, Drawing::Anchor::start, width);
    y = 26;
  }
  for (const Distribution& distribution : distributions) {
    HistogramRow(drawing, y, distribution, clock).draw();
    y += HistogramRow::height;
  }
  drawing.reach(y);
  return drawing;
}

}  // namespace kvmbench::report
