/// kvmbench report: renders saved reports again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/budget.hpp"
#include "report/formats.hpp"

namespace kvmbench::cli {

struct ReportOptions {
  std::vector<std::string> files;  ///< at least one; several are merged
  std::string format = "text";     ///< by name (report/formats.hpp), or "none"
  std::optional<std::string> output;
  bool split_phases = false;
  bool side_by_side = false;  ///< instead of merged
  bool different_hosts = false;
  report::Chart chart = report::Chart::reasons;  ///< of the format svg
  std::optional<std::string> intervals;          ///< what --interval has written beside the report
  BudgetOptions budget;
};

/// The exit status. Throws UsageError.
[[nodiscard]] int report(const ReportOptions& options);

}  // namespace kvmbench::cli
