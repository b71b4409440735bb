/// Options of `kvmbench run` that look at it while it runs, or at where its exits come from.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/run.hpp"

namespace kvmbench::arguments {

void add_run_views(CLI::App& run, cli::RunOptions& options);

/// --chart, of the format svg.
void add_chart(CLI::App& command, report::Chart& chart);

}  // namespace kvmbench::arguments
