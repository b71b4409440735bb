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

}  // namespace kvmbench::report
