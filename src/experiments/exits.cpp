// exits: the price list.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/experiment.hpp"
#include "report/units.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_exits(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

/// A kind of exit as guests/prices.c makes it.
struct Kind {
  std::string_view arm;     ///< in the guest's results
  std::string_view name;    ///< in the table
  std::string_view server;  ///< who serves it
  /// Returns of KVM_RUN that a round causes, where that is determined, and at what.
  std::optional<std::uint64_t> returns = 0;
  std::uint32_t reason = KVM_EXIT_UNKNOWN;
  std::uint64_t address = 0;
};

// In the order of the guest's table: the n-th is the phase 0x10 + n.
constexpr std::array kinds{
    Kind{"nothing", "nothing (two RDTSC)", "nobody"},
    Kind{"cpuid", "CPUID", "kernel"},
    Kind{"rdmsr-kernel", "RDMSR", "kernel"},
    Kind{"wrmsr-kernel", "WRMSR", "kernel"},
    Kind{"out-nobody", "OUT, nobody answers", "VMM", 1, KVM_EXIT_IO, 0x2f00},
    Kind{"in-nobody", "IN, nobody answers", "VMM", 1, KVM_EXIT_IO, 0x2f00},
    Kind{"mmio-read", "MMIO read", "VMM", 1, KVM_EXIT_MMIO, 0xdf000000},
    Kind{"mmio-write", "MMIO write", "VMM", 1, KVM_EXIT_MMIO, 0xdf000004},
};
constexpr std::uint8_t first_mark = 0x10;
constexpr std::string_view baseline = "nothing";

std::vector<report::ExperimentColumn> columns() {
  return {{"kind", "exit", Unit::words},
          {"server", "served by", Unit::words, 5},
          {"returns", "returns", Unit::ratio},
          {"net_s", "net", Unit::seconds},
          {"mean_s", "mean", Unit::seconds, 2},
          {"p50_s", "p50", Unit::seconds, 1},
          {"p99_s", "p99", Unit::seconds, 3},
          {"max_s", "max", Unit::seconds, 6},
          {"service_s", "service", Unit::seconds, 4},
          {"rounds", "rounds", Unit::count, 7}};
}

/// A guest's figure in seconds, of each repetition.
ExperimentCell seconds_of(const std::vector<ArmRun>& runs, std::string_view arm, std::string_view figure) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto cycles = run.guest.figure(arm, figure);
    return cycles ? std::optional(run.seconds(*cycles)) : std::nullopt;
  });
}

/// Without what the two RDTSC cost alone.
ExperimentCell net_of(const std::vector<ArmRun>& runs, const Kind& kind) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto with = run.guest.figure(kind.arm, "p50"), without = run.guest.figure(baseline, "p50");
    return with && without ? std::optional(run.seconds(*with - *without)) : std::nullopt;
  });
}

std::vector<ExperimentCell> row_of(const std::vector<ArmRun>& runs, std::size_t number,
                                   report::ExperimentResult& result) {
  const Kind& kind = kinds[number];
  const auto mark = static_cast<std::uint8_t>(first_mark + number);
  double rounds = 0, returns = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto done = runs[i].guest.number(kind.arm, "rounds");
    if (!done) continue;
    rounds += static_cast<double>(*done);
    const std::uint64_t counted = runs[i].exits_at(mark, kind.reason, kind.address).count;
    returns += static_cast<double>(counted);
    if (kind.returns)
      result.expect(fmt::format("{}, repetition {}", kind.arm, i + 1), *done * *kind.returns, counted);
  }
  const auto service = [&](const ArmRun& run) -> std::optional<double> {
    const stats::TimeStats times = run.exits_at(mark, kind.reason, kind.address).service;
    return times.count() == 0 ? std::nullopt : std::optional(run.seconds(times.mean()));
  };
  return {std::string(kind.name),
          std::string(kind.server),
          rounds == 0 ? ExperimentCell{} : ExperimentCell{returns / rounds},
          kind.arm == baseline ? ExperimentCell{} : net_of(runs, kind),
          seconds_of(runs, kind.arm, "mean"),
          seconds_of(runs, kind.arm, "p50"),
          seconds_of(runs, kind.arm, "p99"),
          seconds_of(runs, kind.arm, "max"),
          spread_over(runs, service),
          rounds};
}

std::string answer_of(const report::ExperimentTable& table) {
  constexpr std::size_t net = 3;
  const report::ExperimentRow *cheapest = nullptr, *dearest = nullptr;
  const auto price = [](const report::ExperimentRow& row) {
    return std::get<report::Spread>(row.cells[net]).median;
  };
  for (const report::ExperimentRow& row : table.rows) {
    if (row.cells.size() <= net || !std::holds_alternative<report::Spread>(row.cells[net])) continue;
    if (cheapest == nullptr || price(row) < price(*cheapest)) cheapest = &row;
    if (dearest == nullptr || price(row) > price(*dearest)) dearest = &row;
  }
  if (cheapest == nullptr) return "The figures support no answer: no kind could be measured.";
  return fmt::format("From {} for {} to {} for {}, in the middle (p50) and without the clock's own cost.",
                     report::duration(price(*cheapest)), std::get<std::string>(cheapest->cells[0]),
                     report::duration(price(*dearest)), std::get<std::string>(dearest->cells[0]));
}

}  // namespace

void run_exits(Context& context, report::ExperimentResult& result) {
  constexpr unsigned repetitions = 5;
  const double each = 0.8 * context.budget_seconds() / repetitions / static_cast<double>(kinds.size());
  const auto microseconds = static_cast<std::uint64_t>(std::max(1000.0, each * 1e6));
  const std::array arms{guest_arm("prices", "@prices", fmt::format("us={}", microseconds))};
  const std::vector<ArmRun> runs = context.interleave(arms, repetitions).front();
  for (const ArmRun& run : runs) {
    if (run.failed()) result.failures.push_back(run.failure);
  }

  report::ExperimentTable table{
      .id = "prices", .title = "What an exit costs", .columns = columns(), .rows = {}, .notes = {}};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto why = runs.front().guest.unavailable.find(kinds[i].arm);
    if (why != runs.front().guest.unavailable.end())
      table.add_not_here({std::string(kinds[i].name), std::string(kinds[i].server)}, why->second);
    else
      table.add(row_of(runs, i, result));
  }
  table.notes.emplace_back(
      "Times are the guest's own, from before to after; net is p50 without the two RDTSC; service is this "
      "program's part; returns are those of KVM_RUN in a round.");
  result.answer = answer_of(table);
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
