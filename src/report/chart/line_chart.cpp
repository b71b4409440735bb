#include <fmt/format.h>

#include <algorithm>

#include "report/chart/axis.hpp"
#include "report/chart/charts.hpp"
#include "report/chart/legend.hpp"

namespace kvmbench::report {
Drawing line_chart(const std::string& title, const std::vector<double>& ends,
                   const std::vector<Series>& series, const std::string& unit, double width) {
  constexpr double left = 44, plot_height = 160;
  Drawing drawing(title, width);
  drawing.text(0, 14, "heading", title, Drawing::Anchor::start, width);
  std::vector<std::string> names;
  for (const Series& one : series) names.push_back(one.label);
  const double top = draw_legend(drawing, 26, names) + 16;
  drawing.text(0, top - 8, "faint", unit);

  double highest = 0;
  for (const Series& one : series) {
    for (const double value : one.values) highest = std::max(highest, value);
  }
  const std::vector<double> y_ticks = linear_ticks(highest, 4);
  const double bottom = top + plot_height;
  const auto y_of = [&](double value) { return bottom - value / y_ticks.back() * plot_height; };
  for (const double tick : y_ticks) {
    drawing.line(left, y_of(tick), drawing.width(), y_of(tick), "grid");
    drawing.text(left - 6, y_of(tick) + 4, "faint", tick_figure(tick), Drawing::Anchor::end);
  }

  const double last = ends.empty() || !(ends.back() > 0) ? 1 : ends.back();
  const auto x_of = [&](double seconds) {
    return left + std::clamp(seconds / last, 0.0, 1.0) * (drawing.width() - left);
  };
  for (const double tick : linear_ticks(last, 5)) {
    if (tick > last * (1 + 1e-9)) continue;
    drawing.line(x_of(tick), bottom, x_of(tick), bottom + 4, "axis");
    drawing.text(x_of(tick), bottom + 16, "faint", fmt::format("{:g} s", tick),
                 x_of(tick) > drawing.width() - 20 ? Drawing::Anchor::end : Drawing::Anchor::middle);
  }
  drawing.line(left, bottom, drawing.width(), bottom, "axis");

  for (std::size_t i = 0; i < series.size(); ++i) {
    // A rate holds for its whole interval: steps, not slopes.
    std::string data;
    double begin = 0;
    for (std::size_t at = 0; at < std::min(ends.size(), series[i].values.size()); ++at) {
      data += fmt::format("{}{:.1f} {:.1f}H{:.1f}", at == 0 ? 'M' : 'L', x_of(begin),
                          y_of(series[i].values[at]), x_of(ends[at]));
      begin = ends[at];
    }
    if (!data.empty()) drawing.path(data, series_class(i));
  }
  drawing.reach(bottom + 22);
  return drawing;
}

}  // namespace kvmbench::report
