// idle: what a guest costs that does nothing.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/devices.hpp"
#include "experiments/exit_reasons.hpp"
#include "experiments/experiment.hpp"
#include "report/units.hpp"
#include "vmm/host_facts.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_idle(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

/// How KVM treats a guest's HLT.
enum class Halting { as_host, not_polled, polled, without_exit };

struct Idling {
  std::string_view name;
  std::string_view timer;  ///< as guests/idle.c names it
  unsigned hz;             ///< 0: no tick
  Halting halting = Halting::as_host;
};

constexpr std::array idlings{
    Idling{"PIT", "pit", 100},
    Idling{"PIT", "pit", 250},
    Idling{"PIT", "pit", 1000},
    Idling{"LAPIC periodic", "periodic", 100},
    Idling{"LAPIC periodic", "periodic", 250},
    Idling{"LAPIC periodic", "periodic", 1000},
    Idling{"TSC deadline, armed each tick", "oneshot", 250},
    Idling{"TSC deadline, armed each tick", "oneshot", 250, Halting::not_polled},
    Idling{"TSC deadline, armed each tick", "oneshot", 250, Halting::polled},
    Idling{"TSC deadline, armed each tick", "oneshot", 250, Halting::without_exit},
    Idling{"tickless (TSC deadline)", "oneshot", 0},
};

constexpr std::uint8_t mark_idle = 0x30, mark_latency = 0x32;
constexpr std::uint64_t polled_ns = 200'000;  // KVM's own default
constexpr double many_guests = 1e6;
constexpr unsigned repetitions = 3;

std::string_view name_of(Halting halting) {
  switch (halting) {
    case Halting::as_host:
      return "as the host's";
    case Halting::not_polled:
      return "no polling";
    case Halting::polled:
      return "polling 200 µs";
    case Halting::without_exit:
      return "HLT without exit";
  }
  return "?";
}

std::string arm_name(const Idling& idling) {
  static constexpr std::array<std::string_view, 4> suffixes = {"", "-no-poll", "-poll", "-no-exit"};
  const std::string tick = idling.hz == 0 ? "tickless" : fmt::format("{}-{}", idling.timer, idling.hz);
  return tick + std::string(suffixes[static_cast<std::size_t>(idling.halting)]);
}

/// Idle for so long; 0: not at all.
Arm arm_of(const Idling& idling, std::uint64_t milliseconds) {
  constexpr unsigned measured_wakeups = 20;
  Arm arm = guest_arm(arm_name(idling), "@idle",
                      fmt::format("ms={} timer={} latency={}{}", milliseconds, idling.timer, measured_wakeups,
                                  idling.hz == 0 ? "" : fmt::format(" hz={}", idling.hz)));
  if (idling.halting == Halting::not_polled) arm.options.halt_poll_ns = 0;
  if (idling.halting == Halting::polled) arm.options.halt_poll_ns = polled_ns;
  if (idling.halting == Halting::without_exit) arm.options.disabled_exits = {"hlt"};
  return arm;
}

/// "" where this KVM can.
std::string why_not(const Kvm& kvm, Halting halting) {
  const bool polls = halting == Halting::not_polled || halting == Halting::polled;
  if (polls && kvm.extension(KVM_CAP_HALT_POLL) <= 0) return "this KVM lacks KVM_CAP_HALT_POLL";
  const auto disablable = static_cast<unsigned>(kvm.extension(KVM_CAP_X86_DISABLE_EXITS));
  if (halting == Halting::without_exit && (disablable & KVM_X86_DISABLE_EXITS_HLT) == 0)
    return "this KVM does not let HLT be executed without an exit (KVM_CAP_X86_DISABLE_EXITS)";
  return {};
}

std::vector<report::ExperimentColumn> columns() {
  return {{"timer", "timer", Unit::words},
          {"hz", "Hz", Unit::count},
          {"halting", "HLT", Unit::words},
          {"wakeups", "wake-ups", Unit::per_second, 4},
          {"exits", "exits", Unit::per_second},
          {"returns", "returns", Unit::per_second, 5},
          {"reasons", "by reason, a wake-up", Unit::words, 1},
          {"cpu", "CPU", Unit::share},
          {"latency_p50_s", "wake-up p50", Unit::seconds},
          {"latency_p99_s", "wake-up p99", Unit::seconds, 3},
          {"cores", "computed: cores for 1,000,000", Unit::count, 2}};
}
enum Column : std::size_t { column_timer, column_hz, column_halting, column_exits = 4, column_cpu = 7 };

std::optional<double> idle_seconds(const ArmRun& run) {
  const auto cycles = run.guest.figure("window", "cycles");
  return cycles ? std::optional(run.seconds(*cycles)) : std::nullopt;
}

/// The vCPU's thread, less what the same guest takes that does not idle.
ExperimentCell cpu_share(const std::vector<ArmRun>& runs, const ArmRun& without) {
  if (without.failed()) return {};
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto seconds = idle_seconds(run);
    if (!seconds || *seconds <= 0) return std::nullopt;
    return std::max(run.vcpu_cpu_seconds - without.vcpu_cpu_seconds, 0.0) / *seconds;
  });
}

/// Returns of KVM_RUN in a phase, without the one by the mark that ends it.
std::uint64_t returns_in(const ArmRun& run, std::uint8_t mark) {
  const std::uint64_t all = run.exits_in(mark).count;
  return all - std::min<std::uint64_t>(all, 1);
}

std::vector<ExperimentCell> row_of(const Idling& idling, const std::vector<ArmRun>& runs,
                                   const ArmRun& without, report::ExperimentResult& result) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].failed()) continue;
    result.expect(fmt::format("{}, repetition {}: returns of KVM_RUN", arm_name(idling), i + 1), 0,
                  returns_in(runs[i], mark_idle) + returns_in(runs[i], mark_latency));
  }
  const auto a_second = [&](const auto& figure) {
    return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
      const auto seconds = idle_seconds(run);
      const std::optional<double> value = figure(run);
      return seconds && value && *seconds > 0 ? std::optional(*value / *seconds) : std::nullopt;
    });
  };
  const ExperimentCell cpu = cpu_share(runs, without);
  ExperimentCell cores;
  if (const auto* spread = std::get_if<report::Spread>(&cpu)) cores = spread->median * many_guests;
  return {std::string(idling.name),
          idling.hz == 0 ? ExperimentCell{} : ExperimentCell{static_cast<double>(idling.hz)},
          std::string(name_of(idling.halting)),
          a_second([](const ArmRun& run) { return run.guest.figure("window", "ticks"); }),
          exits_per(runs, "window", idle_seconds),
          a_second([](const ArmRun& run) {
            return std::optional(static_cast<double>(returns_in(run, mark_idle)));
          }),
          reasons_per(runs, "window", amount_of("window", "ticks"), without),
          cpu,
          seconds_of(runs, "latency", "p50"),
          seconds_of(runs, "latency", "p99"),
          cores};
}

/// What KVM has promised may make no difference: HLT that still leaves the guest.
void note_halts(report::ExperimentTable& table, const std::vector<ArmRun>& runs) {
  for (const ArmRun& run : runs) {
    const auto halts = stats::value_of(run.report.snapshot.vcpu_counters(), "halt_exits");
    const auto ticks = run.guest.number("window", "ticks");
    if (run.failed() || !halts || !ticks || *ticks == 0 || *halts < *ticks) continue;
    table.notes.emplace_back(
        "KVM has taken the request that HLT cause no exit, and yet counts an exit for each of the guest's.");
    return;
  }
}

const report::Spread* figure_of(const report::ExperimentTable& table, std::size_t number, Column column) {
  const report::ExperimentRow& row = table.rows[number];
  return row.not_here.empty() && row.cells.size() > column ? std::get_if<report::Spread>(&row.cells[column])
                                                           : nullptr;
}

std::string answer_of(const report::ExperimentTable& table) {
  constexpr std::size_t fastest_tick = 5, tickless = idlings.size() - 1;
  const report::Spread* const ticking = figure_of(table, fastest_tick, column_exits);
  const report::Spread* const without = figure_of(table, tickless, column_exits);
  if (ticking == nullptr || without == nullptr || !clearly_less(*without, *ticking))
    return "The figures support no answer: an idle guest's exits with a tick of 1000 Hz and without one are "
           "not told apart.";
  std::string answer = fmt::format(
      "With the local APIC's tick of 1000 Hz an idle guest has {} exits a second, "
      "without a tick {}",
      report::grouped(static_cast<std::uint64_t>(ticking->median + 0.5)), report::ratio(without->median));
  const report::Spread* const busy = figure_of(table, fastest_tick, column_cpu);
  const report::Spread* const quiet = figure_of(table, tickless, column_cpu);
  constexpr std::uint64_t enough = 2;  // one repetition tells nothing of so small a share
  if (busy == nullptr || quiet == nullptr || quiet->repetitions < enough || !clearly_less(*quiet, *busy))
    return answer + ".";
  return answer +
         fmt::format(", and takes {:.2f}% of a CPU and {:.2f}%.", 100 * busy->median, 100 * quiet->median);
}

}  // namespace

void run_idle(Context& context, report::ExperimentResult& result) {
  const Kvm kvm;
  std::vector<Arm> arms;
  std::vector<ArmRun> without;
  std::vector<std::size_t> arm_of_row;
  constexpr std::size_t no_arm = ~std::size_t{0};
  for (const Idling& idling : idlings) {
    const bool possible = why_not(kvm, idling.halting).empty();
    arm_of_row.push_back(possible ? without.size() : no_arm);
    if (possible) without.push_back(context.try_out(arm_of(idling, 0)));
  }
  double starting = 0;
  for (const ArmRun& run : without) starting += run.wall_seconds;
  const double idle_for =
      (0.9 * context.seconds_left() / repetitions - starting) / static_cast<double>(without.size());
  const auto milliseconds = static_cast<std::uint64_t>(std::clamp(idle_for, 0.1, 10.0) * 1000);
  for (std::size_t i = 0; i < idlings.size(); ++i)
    if (arm_of_row[i] != no_arm) arms.push_back(arm_of(idlings[i], milliseconds));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms, repetitions);

  report::ExperimentTable table{
      .id = "idle", .title = "What an idle guest costs", .columns = columns(), .rows = {}, .notes = {}};
  for (std::size_t i = 0; i < idlings.size(); ++i) {
    const Idling& idling = idlings[i];
    if (arm_of_row[i] == no_arm) {
      table.add_not_here(
          {std::string(idling.name), static_cast<double>(idling.hz), std::string(name_of(idling.halting))},
          why_not(kvm, idling.halting));
      continue;
    }
    const std::vector<ArmRun>& of_row = runs[arm_of_row[i]];
    for (const ArmRun& run : of_row)
      if (run.failed()) result.failures.push_back(fmt::format("{}: {}", arm_name(idling), run.failure));
    table.add(row_of(idling, of_row, without[arm_of_row[i]], result));
    if (idling.halting == Halting::without_exit) note_halts(table, of_row);
  }
  table.notes.push_back(
      fmt::format("Exits, returns (of KVM_RUN) and CPU are of {} of idling; CPU is the vCPU's thread, less "
                  "what the same guest takes "
                  "without idling. Wake-ups: how late the handler is.",
                  report::duration(static_cast<double>(milliseconds) * 1e-3)));
  table.notes.push_back(where_reasons_are_from(runs));
  table.notes.emplace_back(
      "Computed, not measured: cores that a million such guests would keep busy, were nothing else in their "
      "way.");
  result.answer = answer_of(table);
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
