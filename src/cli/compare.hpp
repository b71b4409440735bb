/// kvmbench compare: saved reports of the same work side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/compare.hpp"

namespace kvmbench::cli {

struct CompareOptions {
  std::vector<std::string> files;  ///< two or more
  std::string format = "text";     ///< by name (report/formats.hpp)
  std::optional<std::string> output;
  std::optional<std::string> per;  ///< report::Per
  bool different_hosts = false;
};

/// The exit status. Throws UsageError.
[[nodiscard]] int compare(const CompareOptions& options);

/// Of reports that are at hand already.
void write_comparison(const report::Comparison& comparison, const std::string& format,
                      const std::optional<std::string>& output);

}  // namespace kvmbench::cli
