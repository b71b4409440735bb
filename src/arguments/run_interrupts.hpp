/// Options of `kvmbench run` for how a guest halts, is woken and is interrupted.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/run.hpp"

namespace kvmbench::arguments {

void add_run_interrupts(CLI::App& run, cli::RunOptions& options);

}  // namespace kvmbench::arguments
