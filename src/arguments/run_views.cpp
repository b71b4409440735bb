#include "arguments/run_views.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace kvmbench::arguments {

void add_chart(CLI::App& command, report::Chart& chart) {
  const auto take = [&chart](const std::string& name) {
    const auto found = std::find(report::chart_names.begin(), report::chart_names.end(), name);
    chart = static_cast<report::Chart>(found - report::chart_names.begin());
  };
  command.add_option_function<std::string>("--chart", take, "what svg shows (default reasons)")
      ->option_text("reasons|phases|histogram|timeline")
      ->check(
          CLI::IsMember(std::vector<std::string>(report::chart_names.begin(), report::chart_names.end())));
}

void add_run_views(CLI::App& run, cli::RunOptions& options) {
  run.add_flag("--live", options.live,
               "show rates and shares while it runs; the console goes to a pane below");
  run.add_option("--serve", options.serve, "serve /metrics, /snapshot and the HTML report while it runs")
      ->option_text("[ADDRESS:]PORT");
  run.add_option("--serve-token", options.serve_token, "a file with the token that clients have to send")
      ->option_text("FILE")
      ->needs("--serve");
  run.add_flag("--rip", options.rip, "record where in the guest exits come from");
  run.add_option("--symbols", options.symbols,
                 "its functions: an ELF file or a System.map (default the image, where it is ELF)")
      ->option_text("FILE")
      ->needs("--rip");
  add_chart(run, options.chart);
}

}  // namespace kvmbench::arguments
