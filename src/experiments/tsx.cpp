// tsx: transactions under interrupts.

#include <fmt/format.h>

#include <array>
#include <optional>

#include "experiments/devices.hpp"
#include "experiments/experiment.hpp"

namespace kvmbench::experiments {

void run_tsx(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

// Those of guests/tsx.c.
constexpr std::array<unsigned, 5> lengths = {1, 4, 16, 64, 256};
constexpr std::array<unsigned, 4> rates = {0, 100, 1000, 10000};
constexpr std::array<std::string_view, 7> causes = {"explicit", "retry",  "conflict", "overflow",
                                                    "debug",    "nested", "other"};

std::string arm_name(unsigned length, unsigned rate) {
  return fmt::format("lines-{:03}-rate-{:05}", length, rate);
}

ExperimentCell share_of(const std::vector<ArmRun>& runs, const std::string& arm, std::string_view figure) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto count = run.guest.figure(arm, figure), rounds = run.guest.figure(arm, "rounds");
    return count && rounds && *rounds > 0 ? std::optional(*count / *rounds) : std::nullopt;
  });
}

std::vector<report::ExperimentColumn> columns() {
  std::vector<report::ExperimentColumn> all{{"lines", "cache lines", Unit::count},
                                            {"rate", "interrupts/s", Unit::count},
                                            {"committed", "committed", Unit::share}};
  for (const std::string_view cause : causes)
    all.push_back({std::string(cause), std::string(cause), Unit::share, 1});
  return all;
}

/// Each transaction committed or aborted for one cause.
void expect_all(const std::vector<ArmRun>& runs, const std::string& arm, report::ExperimentResult& result) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto rounds = runs[i].guest.number(arm, "rounds");
    if (!rounds) continue;
    std::uint64_t sum = runs[i].guest.number(arm, "committed").value_or(0);
    for (const std::string_view cause : causes) sum += runs[i].guest.number(arm, cause).value_or(0);
    result.expect(fmt::format("{}: transactions, repetition {}", arm, i + 1), *rounds, sum);
  }
}

/// From the longest transaction without interrupts to the same under the most.
std::string answer_of(const std::vector<ArmRun>& runs) {
  const auto committed = [&](unsigned rate) {
    const ExperimentCell cell = share_of(runs, arm_name(lengths.back(), rate), "committed");
    const auto* spread = std::get_if<report::Spread>(&cell);
    return spread != nullptr ? std::optional(*spread) : std::nullopt;
  };
  const auto calm = committed(rates.front()), busy = committed(rates.back());
  if (!calm || !busy) return "The figures support no answer: no transaction was tried.";
  if (!clearly_less(*busy, *calm)) {
    return fmt::format(
        "The figures do not show that interrupts abort more transactions: of {} cache lines, "
        "{:.1f} % commit without and {:.1f} % with {} interrupts/s.",
        lengths.back(), 100 * calm->median, 100 * busy->median, rates.back());
  }
  return fmt::format(
      "Of transactions of {} cache lines {:.1f} % commit without interrupts, {:.1f} % with {}/s.",
      lengths.back(), 100 * calm->median, 100 * busy->median, rates.back());
}

}  // namespace

void run_tsx(Context& context, report::ExperimentResult& result) {
  constexpr std::uint64_t rounds = 20'000;
  const std::array arms{guest_arm("rtm", "@tsx", fmt::format("n={}", rounds))};
  const std::vector<ArmRun> runs = context.interleave(arms).front();
  report::ExperimentTable table{
      .id = "tsx", .title = "What becomes of transactions", .columns = columns(), .rows = {}, .notes = {}};
  const auto broken = failed(runs, result);
  const auto absent = runs.front().guest.unavailable.find("rtm");
  const std::string why = broken                                           ? *broken
                          : absent != runs.front().guest.unavailable.end() ? absent->second
                                                                           : "";
  for (const unsigned length : lengths) {
    for (const unsigned rate : rates) {
      std::vector<ExperimentCell> cells{static_cast<double>(length), static_cast<double>(rate)};
      if (!why.empty()) {
        table.add_not_here(std::move(cells), why);
        continue;
      }
      const std::string arm = arm_name(length, rate);
      cells.push_back(share_of(runs, arm, "committed"));
      for (const std::string_view cause : causes) cells.push_back(share_of(runs, arm, cause));
      table.add(std::move(cells));
      expect_all(runs, arm, result);
    }
  }
  table.notes.emplace_back(
      "Shares of the transactions tried; one that aborts is not tried again. `other` is what EAX does not "
      "name, "
      "an interrupt among it.");
  result.answer = why.empty() ? answer_of(runs) : fmt::format("This host cannot answer: {}.", why);
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
