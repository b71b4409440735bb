// kvmbench report.

#include "cli/report.hpp"

#include <memory>

#include "arguments/budget.hpp"
#include "arguments/command.hpp"
#include "arguments/formats.hpp"
#include "arguments/run_views.hpp"
#include "base/error.hpp"

namespace kvmbench::arguments {
namespace {

constexpr const char* examples = R"(
Examples:
  kvmbench report run.json                           a saved report, as text
  kvmbench report run.json --format markdown         to be pasted into an issue
  kvmbench report run.json --format csv -o run.csv
  kvmbench report run-*.json                         all of them, added up
  kvmbench report run-*.json --side-by-side          a column each
  kvmbench report run.json --format html --intervals run.jsonl -o run.html
  kvmbench report run.json --format svg --chart histogram -o latency.svg
  kvmbench report run.json --format none --expect-file exits.budget
)";

}  // namespace

Command add_report(CLI::App& app) {
  CLI::App& report = *app.add_subcommand("report", "render saved reports again");
  report.footer(examples);
  const auto options = std::make_shared<cli::ReportOptions>();
  report.add_option("files", options->files, "reports that --report json has saved; several are added up")
      ->required();
  takes_format(*report.add_option("--format", options->format, "how to show them (default text)"), {"none"});
  report.add_option("-o,--output", options->output, "where to (default stdout)")->option_text("FILE");
  report
      .add_option("--intervals", options->intervals,
                  "what run --interval has written beside it, for html and svg")
      ->option_text("FILE");
  add_chart(report, options->chart);
  report.add_flag("--by-phase", options->split_phases, "split text and markdown reports by phase");
  report.add_flag("--side-by-side", options->side_by_side, "do not add several up: compare them");
  report.add_flag("--different-hosts", options->different_hosts, "take several although their hosts differ");
  add_budget_options(report, options->budget);
  return {
      &report, [options] {
        if (options->side_by_side && options->files.size() < 2)
          throw UsageError("--side-by-side needs two reports at least");
        const cli::BudgetOptions& budget = options->budget;
        if (options->side_by_side && (!budget.expressions.empty() || !budget.files.empty() || budget.write))
          throw UsageError("--side-by-side has no budget: one report has, or several added up");
        return cli::report(*options);
      }};
}

}  // namespace kvmbench::arguments
