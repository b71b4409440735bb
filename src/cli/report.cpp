#include "cli/report.hpp"

#include "cli/compare.hpp"
#include "cli/merge.hpp"
#include "cli/report_output.hpp"
#include "cli/saved_report.hpp"

namespace kvmbench::cli {

int report(const ReportOptions& options) {
  if (options.side_by_side) {
    return compare({.files = options.files,
                    .format = options.format,
                    .output = options.output,
                    .per = {},
                    .different_hosts = options.different_hosts});
  }
  const std::vector<report::Expectation> expectations = read_budget(options.budget);
  const report::Report report = options.files.size() == 1
                                    ? read_report(options.files.front())
                                    : merged_report(options.files, options.different_hosts);
  if (options.format != "none") {
    const report::Format& format = report::format_named(options.format);
    report::RenderOptions how = render_options(!options.output, options.split_phases);
    how.chart = options.chart;
    report::Timeline timeline;
    if (options.intervals) {
      timeline = read_timeline(*options.intervals);
      how.timeline = &timeline;
    }
    write_output(format.render(report, how), options.output);
  }
  return check_budget(options.budget, expectations, report);
}

}  // namespace kvmbench::cli
