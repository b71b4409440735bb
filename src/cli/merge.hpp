/// kvmbench merge: saved reports added up to one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/report.hpp"

namespace kvmbench::cli {

struct MergeOptions {
  std::vector<std::string> files;  ///< at least one
  std::optional<std::string> output;
  bool different_hosts = false;
};

/// The exit status. Throws UsageError.
[[nodiscard]] int merge(const MergeOptions& options);

/// Read one after the other: no more than one is in memory. Throws UsageError, also for reports of different
/// hosts unless these are wanted.
[[nodiscard]] report::Report merged_report(const std::vector<std::string>& files, bool different_hosts);

}  // namespace kvmbench::cli
