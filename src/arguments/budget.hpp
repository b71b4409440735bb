/// The options of a command whose report can be held to a budget.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/budget.hpp"

namespace kvmbench::arguments {

void add_budget_options(CLI::App& command, cli::BudgetOptions& options);

}  // namespace kvmbench::arguments
