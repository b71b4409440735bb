// overhead: what accounting itself costs.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/experiment.hpp"
#include "experiments/load_figures.hpp"
#include "report/units.hpp"
#include "trace/exit_tracer.hpp"

namespace kvmbench::experiments {

void run_overhead(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

constexpr GuestStatsWays no_view{.port = false, .msr = false, .page = false};

/// Each arm adds to the one before it.
struct Level {
  std::string_view name;
  std::string_view what;
  void (*set)(cli::RunOptions& options);
};
constexpr std::array levels{
    Level{"off", "no clock is read, nothing recorded",
          [](cli::RunOptions& options) {
            options.account = false;
            options.guest_stats = no_view;
          }},
    Level{"on", "counts and times by key", [](cli::RunOptions& options) { options.guest_stats = no_view; }},
    Level{"details", "and where in the guest (--rip)",
          [](cli::RunOptions& options) {
            options.guest_stats = no_view;
            options.rip = true;
          }},
    Level{"guest page", "counts, and the guest's page of them",
          [](cli::RunOptions& options) { options.command_line += " page=1"; }},
    Level{"tracer", "counts, and the kernel's events (--trace)",
          [](cli::RunOptions& options) {
            options.guest_stats = no_view;
            options.trace = true;
          }},
};
constexpr std::size_t level_off = 0, level_on = 1, level_tracer = 4;

std::optional<double> round_seconds(const ArmRun& run, std::string_view figure) {
  const auto cycles = run.guest.figure("cpu-00", figure);
  return cycles ? std::optional(run.seconds(*cycles)) : std::nullopt;
}
std::optional<double> middle(const ArmRun& run) {
  return round_seconds(run, "p50");
}
/// What else runs on the host only slows: the fastest round is what an exit takes.
std::optional<double> seconds_an_exit(const ArmRun& run) {
  return round_seconds(run, "min");
}

report::Spread spread(const std::vector<ArmRun>& runs) {
  const ExperimentCell cell = spread_over(runs, seconds_an_exit);
  const auto* found = std::get_if<report::Spread>(&cell);
  return found == nullptr ? report::Spread{} : *found;
}

std::string answer_of(const report::Spread& off, const report::Spread& on) {
  if (off.repetitions == 0 || on.repetitions == 0) return "The figures support no answer: an arm failed.";
  const double more = on.median - off.median;
  if (!clearly_less(off, on)) {
    return fmt::format(
        "Recording is not told apart from none on this host: {} an exit with it ({} to {}), {} without ({} "
        "to {}).",
        report::duration(on.median), report::duration(on.least), report::duration(on.most),
        report::duration(off.median), report::duration(off.least), report::duration(off.most));
  }
  return fmt::format("Recording makes an exit {} longer, from {} to {}: {:.1f}% (fastest rounds).",
                     report::duration(more), report::duration(off.median), report::duration(on.median),
                     100 * more / off.median);
}

}  // namespace

void run_overhead(Context& context, report::ExperimentResult& result) {
  constexpr unsigned repetitions = 7;
  const std::string obstacle = context.traced() ? "" : trace::ExitTracer::obstacle();
  const auto each = static_cast<std::uint64_t>(std::max(
      10.0, 1000 * 0.7 * context.budget_seconds() / repetitions / static_cast<double>(levels.size())));
  std::vector<Arm> arms;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (i == level_tracer && !obstacle.empty()) continue;
    Arm& arm = arms.emplace_back(guest_arm(std::string(levels[i].name), "@load", fmt::format("ms={}", each)));
    levels[i].set(arm.options);
  }
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms, repetitions);

  report::ExperimentTable table{.id = "levels",
                                .title = "An OUT that nobody answers, with more and more accounting",
                                .columns = {{"level", "recording", Unit::words},
                                            {"what", "what is done", Unit::words, 1},
                                            {"exits_per_second", "exits/s", Unit::per_second},
                                            {"p50_s", "p50", Unit::seconds, 3},
                                            {"exit_s", "fastest", Unit::seconds},
                                            {"more", "more than off", Unit::seconds},
                                            {"returns", "returns", Unit::words, 2}},
                                .rows = {},
                                .notes = {}};
  const report::Spread off = spread(runs[level_off]);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    std::vector<ExperimentCell> cells{std::string(levels[i].name), std::string(levels[i].what)};
    if (i >= runs.size()) {
      table.add_not_here(std::move(cells), obstacle);
      continue;
    }
    std::uint64_t rounds = 0, returns = 0;
    for (const ArmRun& run : runs[i]) {
      if (run.failed()) {
        result.failures.push_back(run.failure);
        continue;
      }
      const std::uint64_t done = load_rounds(run), counted = load_returns(run).count;
      rounds += done;
      returns += counted;
      // Where nothing is recorded, nothing is counted.
      result.expect(fmt::format("recording {}", levels[i].name), i == level_off ? 0 : done, counted);
    }
    const report::Spread own = spread(runs[i]);
    cells.push_back(spread_over(runs[i], load_rate));
    cells.push_back(spread_over(runs[i], middle));
    cells.push_back(spread_over(runs[i], seconds_an_exit));
    cells.push_back(i == level_off ? ExperimentCell{} : ExperimentCell(own.median - off.median));
    cells.emplace_back(fmt::format("{} of {}", report::grouped(returns), report::grouped(rounds)));
    table.add(std::move(cells));
  }
  table.notes.emplace_back(
      "Rates are whole runs', in which other work of the host shows; p50 and the fastest are of single "
      "rounds. "
      "More than off is the difference of the fastest rounds' medians.");
  if (context.traced())
    table.notes.emplace_back(
        "All arms are traced (--trace), which costs each of them what the last one shows.");
  result.answer = answer_of(off, spread(runs[level_on]));
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
