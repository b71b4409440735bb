/// A report that `--report json` has saved.
#pragma once

#include <string>

#include "report/report.hpp"

namespace kvmbench::cli {

/// Throws UsageError naming `path` where it is no report or cannot be read.
[[nodiscard]] report::Report read_report(const std::string& path);

}  // namespace kvmbench::cli
