/// Budgets on the command line: --expect, --expect-file, --write-budget.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/budget.hpp"

namespace kvmbench::cli {

struct BudgetOptions {
  std::vector<std::string> expressions;
  std::vector<std::string> files;
  std::optional<std::string> write;
  double slack = 0;  ///< of the budget that is written, as a fraction
};

inline constexpr int budget_status = 3;  ///< exit status where an expectation does not hold

/// Throws UsageError: a mistake in a budget is told before a guest runs for an hour.
[[nodiscard]] std::vector<report::Expectation> read_budget(const BudgetOptions& options);

/// Writes the budget that is wanted, and tells of each expectation on stderr whether it holds. 0, or
/// budget_status if one does not. Throws UsageError, after all have been told, where one cannot be told of
/// this report.
[[nodiscard]] int check_budget(const BudgetOptions& options,
                               const std::vector<report::Expectation>& expectations,
                               const report::Report& report);

}  // namespace kvmbench::cli
