#include "cli/budget.hpp"

#include "base/error.hpp"
#include "cli/input_file.hpp"
#include "cli/standard_streams.hpp"
#include "report/formats.hpp"

namespace kvmbench::cli {

std::vector<report::Expectation> read_budget(const BudgetOptions& options) {
  std::vector<report::Expectation> expectations;
  for (const std::string& expression : options.expressions)
    expectations.push_back(report::parse_expectation(expression, "--expect"));
  for (const std::string& path : options.files) {
    const InputFile file(path);
    const auto bytes = file.bytes();
    const auto more = report::parse_budget({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
    if (more.empty()) throw UsageError(path + ": there is no expression in it");
    expectations.insert(expectations.end(), more.begin(), more.end());
  }
  return expectations;
}

int check_budget(const BudgetOptions& options, const std::vector<report::Expectation>& expectations,
                 const report::Report& report) {
  int status = 0;
  std::optional<UsageError> failure;
  const auto keep_first = [&failure](const UsageError& error) {
    failure ? tell(error.what()) : void(failure = error);
  };
  for (const report::Expectation& expectation : expectations) {
    try {
      const report::Outcome outcome = report::check(expectation, report);
      tell(report::in_words(expectation, outcome));
      if (!outcome.passed) status = budget_status;
    } catch (const UsageError& error) {
      keep_first(error);
    }
  }
  if (options.write) {
    try {
      report::write_file(*options.write, report::budget_of(report, options.slack));
    } catch (const UsageError& error) {
      keep_first(error);
    }
  }
  if (failure) throw *failure;
  return status;
}

}  // namespace kvmbench::cli
