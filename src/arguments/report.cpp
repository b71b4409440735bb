// kvmbench report.

#include "cli/report.hpp"

#include <memory>

#include "arguments/command.hpp"
#include "arguments/formats.hpp"

namespace kvmbench::arguments {
namespace {

constexpr const char* examples = R"(
Examples:
  kvmbench report run.json                           a saved report, as text
  kvmbench report run.json --format markdown         to be pasted into an issue
  kvmbench report run.json --format csv -o run.csv
)";

}  // namespace

Command add_report(CLI::App& app) {
  CLI::App& report = *app.add_subcommand("report", "render saved reports again");
  report.footer(examples);
  const auto options = std::make_shared<cli::ReportOptions>();
  report.add_option("files", options->files, "reports that --report json has saved")->required();
  takes_format(*report.add_option("--format", options->format, "how to show them (default text)"));
  report.add_option("-o,--output", options->output, "where to (default stdout)")->option_text("FILE");
  report.add_flag("--by-phase", options->split_phases, "split text and markdown reports by phase");
  return {&report, [options] { return cli::report(*options); }};
}

}  // namespace kvmbench::arguments
