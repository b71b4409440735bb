#include "cli/compare.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/report_output.hpp"
#include "cli/saved_report.hpp"

namespace kvmbench::cli {

int compare(const CompareOptions& options) {
  const std::optional<report::Per> per =
      options.per ? std::optional(report::Per::parse(*options.per)) : std::nullopt;
  std::vector<report::Report> reports;
  reports.reserve(options.files.size());
  std::vector<report::Side> sides;
  for (const std::string& file : options.files) {
    reports.push_back(read_report(file));
    sides.push_back({file, &reports.back()});
  }
  const report::Comparison comparison = report::compare(std::move(sides), per);
  if (!options.different_hosts) report::require_same_host(comparison.host);
  write_comparison(comparison, options.format, options.output);
  return 0;
}

void write_comparison(const report::Comparison& comparison, const std::string& name,
                      const std::optional<std::string>& output) {
  const report::Format& format = report::format_named(name);
  if (format.compare == nullptr) throw UsageError(fmt::format("--format {} shows no comparison", name));
  write_output(format.compare(comparison, render_options(!output, false)), output);
}

}  // namespace kvmbench::cli
