/// What follows --protect and --watch.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "vmm/guarded_range.hpp"

namespace kvmbench::cli {

struct GuardedMemoryOptions {
  std::vector<GuardedRange> ranges;
  std::chrono::nanoseconds every = std::chrono::milliseconds(10);  ///< the shortest that was given
};

/// Each `protect` is "FIRST-LAST:none|ro[,action=report|inject|stop]", each `watch` is
/// "FIRST-LAST[,by=exit|bitmap|ring][,every=TIME]"; FIRST and LAST are the addresses of the first and the
/// last byte, of whole pages. Throws UsageError.
[[nodiscard]] GuardedMemoryOptions parse_guarded_memory(const std::vector<std::string>& protect,
                                                        const std::vector<std::string>& watch);

}  // namespace kvmbench::cli
