/// What runs have saved.
#pragma once

#include <string>

#include "report/report.hpp"
#include "report/timeline.hpp"

namespace kvmbench::cli {

/// Throws UsageError naming `path` where it is no report or cannot be read.
[[nodiscard]] report::Report read_report(const std::string& path);

/// What run --interval has written. Throws UsageError, likewise.
[[nodiscard]] report::Timeline read_timeline(const std::string& path);

}  // namespace kvmbench::cli
