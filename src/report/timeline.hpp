/// How the counts of a run grew, for charts over time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "report/chart/drawing.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::report {

/// Exits by reason in intervals that follow each other. However long the run, no more than `most_intervals`
/// are kept: when they are full, each two neighbours become one.
class Timeline final {
 public:
  static constexpr std::size_t most_intervals = 512;

  struct Interval {
    double end = 0;  ///< seconds since the first began
    std::map<std::uint32_t, std::uint64_t> exits_by_reason;
  };

  /// An interval that lasted `seconds` (more than 0).
  void add(double seconds, const std::map<std::uint32_t, std::uint64_t>& exits_by_reason);

  [[nodiscard]] const std::vector<Interval>& intervals() const noexcept { return intervals_; }

 private:
  void halve();

  std::vector<Interval> intervals_;
  std::size_t together_ = 1;  // intervals given that make one kept
  std::size_t in_last_ = 0;   // of which the last kept has this many
};

/// From the lines that --interval writes. Throws UsageError naming `name`, the line, and what is wrong there.
[[nodiscard]] Timeline timeline_from_json_lines(std::string_view text, const std::string& name);

/// The exits of each reason in `snapshot`, as Timeline::add takes them.
[[nodiscard]] std::map<std::uint32_t, std::uint64_t> exits_by_reason(const stats::Snapshot& snapshot);

/// Exits a second of the reasons with most exits; the others are one line together.
[[nodiscard]] Drawing timeline_chart(const Timeline& timeline, double width);

}  // namespace kvmbench::report
