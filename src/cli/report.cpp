#include "cli/report.hpp"

#include "cli/report_output.hpp"
#include "cli/saved_report.hpp"

namespace kvmbench::cli {

int report(const ReportOptions& options) {
  const report::Format& format = report::format_named(options.format);
  const report::Report report = read_report(options.files.front());
  write_output(format.render(report, render_options(!options.output, options.split_phases)), options.output);
  return 0;
}

}  // namespace kvmbench::cli
