/// How long something took, over many times.
#pragma once

#include <cstdint>

#include "stats/histogram.hpp"

namespace kvmbench::stats {

/// Of TSC cycles, or of what whoever has one says.
struct TimeStats {
  Histogram histogram;
  Cycles sum = 0;
  Cycles min = 0;  ///< 0 where the count is 0
  Cycles max = 0;

  [[nodiscard]] std::uint64_t count() const noexcept { return histogram.count(); }
  [[nodiscard]] double mean() const noexcept;
  /// A percentile from the histogram, never outside [min, max].
  [[nodiscard]] Cycles quantile(double quantile) const noexcept;

  void add(Cycles value) noexcept;
  TimeStats& operator+=(const TimeStats& other) noexcept;
  /// What has come since `earlier`. min and max of the difference are not known exactly: they are the bounds
  /// of the lowest and highest bucket that grew, within [min, max].
  TimeStats& operator-=(const TimeStats& earlier) noexcept;
  friend bool operator==(const TimeStats&, const TimeStats&) = default;
};

}  // namespace kvmbench::stats
