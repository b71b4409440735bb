/// The options of kvmbench run about memory that the guest may not use, or that is watched.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/run.hpp"

namespace kvmbench::arguments {

void add_guarded_memory(CLI::App& run, cli::RunOptions& options);

}  // namespace kvmbench::arguments
