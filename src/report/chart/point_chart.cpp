#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "report/chart/axis.hpp"
#include "report/chart/charts.hpp"
#include "report/chart/legend.hpp"

namespace kvmbench::report {
namespace {

constexpr double left = 56, plot_height = 200, right = 12;

/// The horizontal axis: from 0, or logarithmic where points would lie on top of each other otherwise.
class Across final {
 public:
  Across(double least, double most, double width)
      : most_(most > 0 ? most : 1), from_(left), to_(width - right) {
    constexpr double far = 20;
    if (least > 0 && most / least >= far) log_.emplace(least, most, from_, to_);
  }

  [[nodiscard]] double place(double figure) const {
    return log_ ? log_->place(figure) : from_ + std::clamp(figure / most_, 0.0, 1.0) * (to_ - from_);
  }
  [[nodiscard]] std::vector<double> ticks() const {
    if (log_) return log_->ticks();
    std::vector<double> ticks = linear_ticks(most_, 5);
    std::erase_if(ticks, [this](double tick) { return tick > most_ * (1 + 1e-9); });
    return ticks;
  }

 private:
  double most_;
  double from_;
  double to_;
  std::optional<LogAxis> log_;
};

/// Of the points that can be drawn.
struct Range {
  double least_x = HUGE_VAL, most_x = 0, most_y = 0;
};

bool drawable(const Point& point) {
  return std::isfinite(point.x) && std::isfinite(point.y) && point.x >= 0 && point.y >= 0;
}

Range range_of(const std::vector<PointSeries>& series) {
  Range range;
  for (const PointSeries& one : series) {
    for (const Point& point : one.points) {
      if (!drawable(point)) continue;
      range.least_x = std::min(range.least_x, point.x);
      range.most_x = std::max(range.most_x, point.x);
      range.most_y = std::max(range.most_y, point.y);
    }
  }
  return range;
}

}  // namespace

double draw_points(Drawing& drawing, double from, const PointChart& chart) {
  drawing.text(0, from + 14, "heading", chart.title, Drawing::Anchor::start, drawing.width());
  std::vector<std::string> names;
  for (const PointSeries& one : chart.series) names.push_back(one.label);
  const double top = draw_legend(drawing, from + 26, names) + 16;
  drawing.text(0, top - 12, "faint", chart.y_title);

  const Range range = range_of(chart.series);
  const std::vector<double> y_ticks = linear_ticks(range.most_y, 4);
  const double bottom = top + plot_height;
  const auto y_of = [&](double value) { return bottom - value / y_ticks.back() * plot_height; };
  for (const double tick : y_ticks) {
    drawing.line(left, y_of(tick), drawing.width() - right, y_of(tick), "grid");
    drawing.text(left - 6, y_of(tick) + 4, "faint", tick_figure(tick), Drawing::Anchor::end);
  }
  const Across across(range.least_x, range.most_x, drawing.width());
  for (const double tick : across.ticks()) {
    drawing.line(across.place(tick), bottom, across.place(tick), bottom + 4, "axis");
    drawing.text(across.place(tick), bottom + 16, "faint", tick_figure(tick), Drawing::Anchor::middle);
  }
  drawing.line(left, bottom, drawing.width() - right, bottom, "axis");
  drawing.text(drawing.width() - right, bottom + 32, "faint", chart.x_title, Drawing::Anchor::end);

  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    std::string line;
    for (const Point& point : chart.series[i].points) {
      if (!drawable(point)) continue;
      constexpr double mark = 5;
      const double x = across.place(point.x), y = y_of(point.y);
      line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? 'M' : 'L', x, y);
      drawing.rectangle(x - mark / 2, y - mark / 2, mark, mark, series_class(i),
                        fmt::format("{}: {:.4g}, {:.4g}", chart.series[i].label, point.x, point.y));
    }
    if (chart.lines && !line.empty()) drawing.path(line, series_class(i));
  }
  const double end = bottom + 40;
  drawing.reach(end);
  return end;
}

Drawing point_chart(const PointChart& chart, double width) {
  Drawing drawing(chart.title, width);
  draw_points(drawing, 0, chart);
  return drawing;
}

}  // namespace kvmbench::report
