// coalesce: notifications that the device holds back.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "experiments/devices.hpp"
#include "experiments/experiment.hpp"
#include "experiments/scratch_file.hpp"
#include "report/units.hpp"

namespace kvmbench::experiments {

void run_coalesce(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

constexpr std::array batches = {2u, 4u, 8u, 16u};
constexpr std::array timeouts = {0u, 10u, 50u, 200u};  // in microseconds
constexpr std::uint64_t disk_bytes = 4 << 20;
constexpr std::uint64_t depth = 64;
constexpr std::uint8_t first_mark = 0x70;  // of the guest, guests/pace.c: of the first rate
/// The rates are these parts of what the device serves where nothing is held.
constexpr std::array loads = {0.1, 0.5, 2.0, 10.0};
/// A pair wins where it has the fewest exits among those whose mean latency is at most so many times that of
/// no holding.
constexpr double bearable = 1.5;

/// How many requests share a notification at most, and how long one is held; of one request, none is.
struct Pair {
  unsigned batch = 1;
  unsigned timeout = 0;

  [[nodiscard]] std::string name() const {
    return batch == 1 ? "nothing held" : fmt::format("{} within {} us", batch, timeout);
  }
};

std::vector<Pair> all_pairs() {
  std::vector<Pair> pairs = {{}};
  for (const unsigned batch : batches) {
    for (const unsigned timeout : timeouts) pairs.push_back({batch, timeout});
  }
  return pairs;
}

Arm arm_of(const Pair& pair, const std::string& rates, std::uint64_t requests, const std::string& disk) {
  const std::string name = pair.batch == 1 ? "none" : fmt::format("{}-{}us", pair.batch, pair.timeout);
  Arm arm = guest_arm(name, "@pace",
                      fmt::format("rate={} n={} depth={} event_idx=1 suppress=1", rates, requests, depth));
  const std::string held =
      pair.batch == 1 ? "" : fmt::format(",batch={},timeout={}us,hold=both", pair.batch, pair.timeout);
  arm.options.disks = {fmt::format("{},model=virtio,kick=exit{}", disk, held)};
  return arm;
}

/// 1, 2 or 5 times a power of ten, at most `number`.
std::uint64_t round_number(double number) {
  const double power = std::pow(10, std::floor(std::log10(std::max(number, 1.0))));
  const double lead = number / power;
  return static_cast<std::uint64_t>(power * (lead >= 5 ? 5 : lead >= 2 ? 2 : 1));
}

std::string figures_of(std::uint64_t rate) {
  return fmt::format("rate-{}", rate);
}

struct Plan {
  std::vector<std::uint64_t> rates;
  std::uint64_t requests = 0;
};

/// What the device serves where nothing is held decides the rates; the budget, how many requests of each.
Plan plan_of(Context& context, std::size_t arms, const std::string& disk) {
  constexpr std::uint64_t tried = 256, least = 64, most = 8192;
  constexpr std::uint64_t flood = 10'000'000;
  constexpr double otherwise = 10'000, repetitions = 3, share = 0.5;
  constexpr unsigned tries = 3;  // of which the best counts: the host may have had something else to do
  double served = 0;
  for (unsigned i = 0; i < tries; ++i) {
    const ArmRun run = context.try_out(arm_of({}, std::to_string(flood), tried, disk));
    const auto cycles = run.guest.figure(figures_of(flood), "cycles");
    if (!run.failed() && cycles && *cycles > 0)
      served = std::max(served, static_cast<double>(tried) / run.seconds(*cycles));
  }
  if (served == 0) served = otherwise;
  Plan plan;
  double seconds_a_request = 0;  // of each rate
  for (const double load : loads) {
    std::uint64_t rate = round_number(load * served);
    if (!plan.rates.empty()) rate = std::max(rate, 2 * plan.rates.back());
    plan.rates.push_back(rate);
    seconds_a_request += 1 / std::min(static_cast<double>(rate), served);
  }
  const double room = share * context.seconds_left() / repetitions / static_cast<double>(arms);
  plan.requests = rounds_within(room, seconds_a_request, least, most) / depth * depth;
  return plan;
}

/// What a pair gave at one rate.
struct Outcome {
  Pair pair;
  ExperimentCell exits, interrupts, doorbells, mean, p99, late;
  double median_exits = 0, median_mean = 0;
  bool frontier = false;  ///< no other has both fewer exits and less latency
};

class AtRate final {
 public:
  AtRate(std::uint64_t rate, std::size_t number, std::uint64_t requests)
      : rate_(rate), mark_(static_cast<std::uint8_t>(first_mark + number)), requests_(requests) {}

  [[nodiscard]] Outcome outcome(const Pair& pair, const std::vector<ArmRun>& runs) const {
    const auto per_request = [this](std::uint64_t count) {
      return std::optional(static_cast<double>(count) / static_cast<double>(requests_));
    };
    const auto exits = [&](const ArmRun& run) { return per_request(exits_of_work(run, mark_)); };
    const auto interrupts = [&](const ArmRun& run) {
      return per_request(run.guest.number(figures_of(rate_), "interrupts").value_or(0));
    };
    const auto doorbells = [&](const ArmRun& run) {
      return per_request(accesses(run, mark_, VirtioRegister::queue_notify));
    };
    const auto late = [&](const ArmRun& run) {
      return per_request(run.guest.number(figures_of(rate_), "late").value_or(0));
    };
    Outcome outcome{.pair = pair,
                    .exits = spread_over(runs, exits),
                    .interrupts = spread_over(runs, interrupts),
                    .doorbells = spread_over(runs, doorbells),
                    .mean = seconds_of(runs, figures_of(rate_), "mean"),
                    .p99 = seconds_of(runs, figures_of(rate_), "p99"),
                    .late = spread_over(runs, late)};
    outcome.median_exits = median(outcome.exits);
    outcome.median_mean = median(outcome.mean);
    return outcome;
  }

  /// Each exit is a doorbell, or one of the two accesses that an interrupt's handler makes.
  void expect_exits(const std::string& arm, const std::vector<ArmRun>& runs,
                    report::ExperimentResult& result) const {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const ArmRun& run = runs[i];
      if (run.failed()) continue;
      const std::uint64_t interrupts = run.guest.number(figures_of(rate_), "interrupts").value_or(0);
      const std::string what = fmt::format("{} at {}/s, repetition {}", arm, rate_, i + 1);
      result.expect(what + ": InterruptStatus", interrupts,
                    accesses(run, mark_, VirtioRegister::interrupt_status));
      result.expect(what + ": all", 2 * interrupts + accesses(run, mark_, VirtioRegister::queue_notify),
                    exits_of_work(run, mark_));
    }
  }

 private:
  static double median(const ExperimentCell& cell) {
    const auto* spread = std::get_if<report::Spread>(&cell);
    return spread != nullptr ? spread->median : 0;
  }

  std::uint64_t rate_;
  std::uint8_t mark_;
  std::uint64_t requests_;
};

void mark_frontier(std::vector<Outcome>& outcomes) {
  for (Outcome& outcome : outcomes) {
    outcome.frontier = std::none_of(outcomes.begin(), outcomes.end(), [&](const Outcome& other) {
      const bool no_worse =
          other.median_exits <= outcome.median_exits && other.median_mean <= outcome.median_mean;
      return no_worse &&
             (other.median_exits < outcome.median_exits || other.median_mean < outcome.median_mean);
    });
  }
}

/// `none` itself where no other is bearable, or has fewer exits in all repetitions.
const Outcome& winner_of(const std::vector<Outcome>& outcomes, const Outcome& none) {
  const auto clearly_fewer = [&none](const Outcome& outcome) {
    const auto* exits = std::get_if<report::Spread>(&outcome.exits);
    const auto* without = std::get_if<report::Spread>(&none.exits);
    return exits != nullptr && without != nullptr && clearly_less(*exits, *without);
  };
  const Outcome* winner = &none;
  for (const Outcome& outcome : outcomes) {
    if (outcome.median_mean > bearable * none.median_mean || !clearly_fewer(outcome)) continue;
    if (outcome.median_exits < winner->median_exits) winner = &outcome;
  }
  return *winner;
}

report::ExperimentTable table_of_pairs(std::uint64_t requests) {
  report::ExperimentTable table{.id = "coalesce",
                                .title = "Notifications held back by virtio-blk",
                                .columns = {{"rate", "requests/s", Unit::count},
                                            {"batch", "N", Unit::count},
                                            {"timeout_s", "timeout", Unit::seconds},
                                            {"exits", "exits/request", Unit::ratio},
                                            {"interrupts", "interrupts/request", Unit::ratio, 1},
                                            {"doorbells", "doorbells/request", Unit::ratio, 2},
                                            {"mean_s", "mean", Unit::seconds},
                                            {"added_s", "added", Unit::seconds},
                                            {"p99_s", "p99", Unit::seconds, 3},
                                            {"late", "late", Unit::share, 5},
                                            {"frontier", "frontier", Unit::words, 4}},
                                .rows = {},
                                .notes = {}};
  table.notes.push_back(fmt::format(
      "{} reads of 512 bytes at each rate; doorbells and interrupts are held until there are N, or for "
      "the timeout; added is the mean less that of N = 1; late went out an interval or more after "
      "their time; on the frontier no other pair has both fewer exits and less latency.",
      requests));
  return table;
}

report::ExperimentTable table_of_winners() {
  return {.id = "coalesce-winners",
          .title = "Which pair wins at which rate",
          .columns = {{"rate", "requests/s", Unit::count},
                      {"pair", "pair", Unit::words},
                      {"exits", "exits/request", Unit::ratio},
                      {"exits_none", "nothing held", Unit::ratio},
                      {"mean_s", "mean", Unit::seconds},
                      {"mean_none_s", "nothing held", Unit::seconds}},
          .rows = {},
          .notes = {
              fmt::format("The fewest exits a request among the pairs whose mean latency is at most {} times "
                          "that of nothing held, and whose exits were fewer in all repetitions.",
                          bearable)}};
}

ExperimentCell cell_of(double value) {
  return value;
}

void add_rows(std::uint64_t rate, const std::vector<Outcome>& outcomes, report::ExperimentTable& table) {
  for (const Outcome& outcome : outcomes) {
    const bool held = outcome.pair.batch > 1;
    table.add({static_cast<double>(rate), static_cast<double>(outcome.pair.batch),
               held ? cell_of(outcome.pair.timeout / 1e6) : ExperimentCell{}, outcome.exits,
               outcome.interrupts, outcome.doorbells, outcome.mean,
               held ? cell_of(outcome.median_mean - outcomes.front().median_mean) : ExperimentCell{},
               outcome.p99, outcome.late, std::string(outcome.frontier ? "yes" : "no")});
  }
}

/// The pairs of a rate, those of the frontier or all, from little latency to much.
report::ExperimentSeries series_of(std::uint64_t rate, const std::vector<Outcome>& outcomes, bool all) {
  report::ExperimentSeries series{.label = fmt::format("{} requests/s", rate), .points = {}};
  for (const Outcome& outcome : outcomes) {
    if (all || outcome.frontier) series.points.emplace_back(outcome.median_mean * 1e6, outcome.median_exits);
  }
  std::sort(series.points.begin(), series.points.end());
  return series;
}

report::ExperimentPlot plot_of(std::string id, std::string title, bool lines) {
  return {.id = std::move(id),
          .title = std::move(title),
          .x_title = "mean latency, us",
          .y_title = "exits/request",
          .series = {},
          .lines = lines};
}

std::string answer_of(const report::ExperimentTable& winners) {
  std::string answer;
  for (const report::ExperimentRow& row : winners.rows) {
    if (!row.not_here.empty()) continue;
    const auto& pair = std::get<std::string>(row.cells[1]);
    answer +=
        fmt::format("{}at {:.0f} requests/s ", answer.empty() ? "" : "; ", std::get<double>(row.cells[0]));
    answer += pair == Pair{}.name()
                  ? "no pair saves exits in every repetition at a latency that is borne"
                  : fmt::format("{} wins with {:.3f} exits a request instead of {:.3f}", pair,
                                std::get<double>(row.cells[2]), std::get<double>(row.cells[3]));
  }
  if (answer.empty()) return "The figures support no answer: what nothing held costs could not be measured.";
  answer[0] = 'A';
  return answer + ".";
}

}  // namespace

void run_coalesce(Context& context, report::ExperimentResult& result) {
  const ScratchFile disk("disk", disk_bytes);
  const std::vector<Pair> pairs = all_pairs();
  const Plan plan = plan_of(context, pairs.size(), disk.path());
  const std::string rates = fmt::format("{}", fmt::join(plan.rates, ","));
  std::vector<Arm> arms;
  for (const Pair& pair : pairs) arms.push_back(arm_of(pair, rates, plan.requests, disk.path()));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms);
  std::vector<std::optional<std::string>> why;
  for (const std::vector<ArmRun>& of_arm : runs) why.push_back(failed(of_arm, result));

  report::ExperimentTable table = table_of_pairs(plan.requests), winners = table_of_winners();
  report::ExperimentPlot frontier = plot_of("coalesce-frontier", "The frontier of each rate", true);
  report::ExperimentPlot all = plot_of("coalesce-pairs", "All pairs", false);
  for (std::size_t number = 0; number < plan.rates.size(); ++number) {
    const std::uint64_t rate = plan.rates[number];
    const AtRate at_rate(rate, number, plan.requests);
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (why[i]) continue;
      outcomes.push_back(at_rate.outcome(pairs[i], runs[i]));
      at_rate.expect_exits(arms[i].name, runs[i], result);
    }
    const bool comparable = !why.front();
    if (comparable) {
      mark_frontier(outcomes);
      add_rows(rate, outcomes, table);
      const Outcome& none = outcomes.front();
      const Outcome& winner = winner_of(outcomes, none);
      winners.add({static_cast<double>(rate), winner.pair.name(), winner.median_exits, none.median_exits,
                   winner.median_mean, none.median_mean});
      frontier.series.push_back(series_of(rate, outcomes, false));
      all.series.push_back(series_of(rate, outcomes, true));
    } else {
      winners.add_not_here({static_cast<double>(rate)}, *why.front());
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (comparable && !why[i]) continue;
      table.add_not_here({static_cast<double>(rate), static_cast<double>(pairs[i].batch)},
                         why[i] ? *why[i] : "nothing to compare it with: N = 1 has failed");
    }
  }
  result.answer = answer_of(winners);
  result.tables.push_back(std::move(winners));
  result.tables.push_back(std::move(table));
  result.plots.push_back(std::move(frontier));
  result.plots.push_back(std::move(all));
}

}  // namespace kvmbench::experiments
