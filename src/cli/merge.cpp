#include "cli/merge.hpp"

#include "cli/report_output.hpp"
#include "cli/report_reader.hpp"
#include "report/compare.hpp"
#include "report/merge.hpp"

namespace kvmbench::cli {

int merge(const MergeOptions& options) {
  write_output(report::to_json(merged_report(options.files, options.different_hosts)), options.output);
  return 0;
}

report::Report merged_report(const std::vector<std::string>& files, bool different_hosts) {
  report::Merger merger;
  report::Report first;  // its host
  ReportReader reader(files);
  for (const std::string& file : files) {
    const report::Report report = reader.next();
    if (&file == &files.front()) {
      first.host = report.host;
      first.snapshot.tsc_khz = report.snapshot.tsc_khz;
    } else if (!different_hosts) {
      report::require_same_host(report::host_differences({{files.front(), &first}, {file, &report}}));
    }
    merger.add(report, file);
  }
  return merger.take();
}

}  // namespace kvmbench::cli
