#include "arguments/budget.hpp"

#include <charconv>

namespace kvmbench::arguments {
namespace {

/// "5%" or "5" as a fraction; nothing where that is no share from 0 to 1000 %.
std::optional<double> fraction(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  double per_cent = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), per_cent);
  const bool possible =
      error == std::errc{} && end == text.data() + text.size() && per_cent >= 0 && per_cent <= 1000;
  return possible ? std::optional(per_cent / 100) : std::nullopt;
}

}  // namespace

void add_budget_options(CLI::App& command, cli::BudgetOptions& options) {
  command
      .add_option("--expect", options.expressions,
                  "fail with status 3 unless this holds (\"mmio.count <= 1200\"); may be repeated")
      ->option_text("EXPRESSION")
      ->allow_extra_args(false);
  command.add_option("--expect-file", options.files, "the same for each line of a file; may be repeated")
      ->option_text("FILE")
      ->allow_extra_args(false);
  CLI::Option* write =
      command.add_option("--write-budget", options.write, "write a budget that this report holds");
  write->option_text("FILE");
  command
      .add_option_function<std::string>(
          "--slack",
          [&options](const std::string& text) {
            const std::optional<double> slack = fraction(text);
            if (!slack) throw CLI::ValidationError("--slack", text + " is no share such as 5%");
            options.slack = *slack;
          },
          "what that budget allows beyond this report (default 0%)")
      ->option_text("PERCENT")
      ->needs(write);
}

}  // namespace kvmbench::arguments
