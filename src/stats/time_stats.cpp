#include "stats/time_stats.hpp"

#include <algorithm>

namespace kvmbench::stats {

double TimeStats::mean() const noexcept {
  return count() == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count());
}

Cycles TimeStats::quantile(double quantile) const noexcept {
  return count() == 0 ? 0 : std::max(min, std::min(histogram.quantile(quantile), max));
}

void TimeStats::add(Cycles value) noexcept {
  min = count() == 0 ? value : std::min(min, value);
  max = std::max(max, value);
  sum += value;
  histogram.add(value);
}

TimeStats& TimeStats::operator+=(const TimeStats& other) noexcept {
  if (other.count() != 0) min = count() == 0 ? other.min : std::min(min, other.min);
  max = std::max(max, other.max);
  sum += other.sum;
  histogram += other.histogram;
  return *this;
}

TimeStats& TimeStats::operator-=(const TimeStats& earlier) noexcept {
  sum -= earlier.sum;
  histogram -= earlier.histogram;
  if (count() == 0) {
    min = max = 0;
    return *this;
  }
  std::size_t lowest = 0;
  while (histogram.in_bucket(lowest) == 0) ++lowest;
  std::size_t highest = buckets::count - 1;
  while (histogram.in_bucket(highest) == 0) --highest;
  min = std::max(min, buckets::lower_bound(lowest));
  max = std::min(max, buckets::upper_bound(highest) - 1);
  return *this;
}

}  // namespace kvmbench::stats
