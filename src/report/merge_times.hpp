/// Times of several runs as one.
#pragma once

#include <algorithm>

#include "stats/time_stats.hpp"

namespace kvmbench::report {

/// As TimeStats::operator+=, of saved reports too: they may say anything of a time that never came.
inline void add_saved(stats::TimeStats& sum, const stats::TimeStats& times) {
  const bool any = times.count() != 0;
  const stats::Cycles least = any ? times.min : sum.min, greatest = any ? times.max : sum.max;
  sum.min = sum.count() == 0 ? least : std::min(sum.min, least);
  sum.max = std::max(sum.max, greatest);
  sum.sum += times.sum;
  sum.histogram += times.histogram;
}

}  // namespace kvmbench::report
