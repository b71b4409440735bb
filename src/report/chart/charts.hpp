/// The shapes of chart that reports have. Each is drawn from figures and the words for them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/chart/drawing.hpp"
#include "report/units.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::report {

struct Bar {
  std::string label;
  std::vector<double> parts;  ///< one after the other; as many as there are legends, at least one
  std::string value;          ///< the figure in words, beside the label
};

/// A bar a row, in the order given, the longest as long as the drawing is wide. `legends` names the parts of
/// the bars; empty where they have but one.
[[nodiscard]] Drawing bar_chart(const std::string& title, const std::vector<Bar>& bars,
                                const std::vector<std::string>& legends, double width);

struct BarGroup {
  struct Member {
    double figure = 0;
    std::string value;  ///< the figure in words
  };
  std::string label;
  std::vector<Member> members;  ///< as many as there are legends
  std::string note;             ///< at the end of the label's line: "× 0.25"
};

/// A bar a member below each label, for what is compared; all share one scale.
[[nodiscard]] Drawing group_chart(const std::string& title, const std::vector<BarGroup>& groups,
                                  const std::vector<std::string>& legends, double width);

struct Distribution {
  std::string label;
  stats::TimeStats times;  ///< in cycles
};

/// A histogram a row: exits a bucket over a logarithmic axis of time, with marks at p50, p99 and p99.9. Where
/// the buckets are many, neighbours are shown as one.
[[nodiscard]] Drawing histogram_chart(const std::string& title,
                                      const std::vector<Distribution>& distributions, const Clock& clock,
                                      double width);

struct Series {
  std::string label;
  std::vector<double> values;  ///< one an interval
};

/// Lines over time. `ends` are the intervals' ends in seconds, ascending, the first interval beginning at 0;
/// `unit` is that of the values ("exits/s").
[[nodiscard]] Drawing line_chart(const std::string& title, const std::vector<double>& ends,
                                 const std::vector<Series>& series, const std::string& unit, double width);

struct Point {
  double x = 0;
  double y = 0;
};
struct PointSeries {
  std::string label;
  std::vector<Point> points;
};
struct PointChart {
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<PointSeries> series;
  bool lines = true;  ///< from point to point of a series, in their order
};

/// Points over two axes. Both begin at 0, but for a horizontal one over more than a power of ten, which is
/// logarithmic where no point is at 0. What is no number, or negative, is left out.
[[nodiscard]] Drawing point_chart(const PointChart& chart, double width);
/// The same into a drawing, from `from` downwards; returns where it ends.
double draw_points(Drawing& drawing, double from, const PointChart& chart);

}  // namespace kvmbench::report
