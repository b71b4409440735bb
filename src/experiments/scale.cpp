// scale: many vCPUs, and many machines.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "experiments/experiment.hpp"
#include "experiments/load_figures.hpp"
#include "report/units.hpp"
#include "vmm/kvm.hpp"

namespace kvmbench::experiments {

void run_scale(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

enum class Work { port, unrecorded, doorbell, ipi };
struct Kind {
  Work work;
  std::string_view name;
  std::string_view guest;  ///< of @load
};
constexpr std::array kinds{
    Kind{Work::port, "OUT, returns", "port"},
    Kind{Work::unrecorded, "OUT, not recorded", "port"},
    Kind{Work::doorbell, "OUT, ioeventfd", "doorbell"},
    Kind{Work::ipi, "IPI to the next", "ipi"},
};
constexpr std::array<unsigned, 3> sizes{1, 2, 4};

Arm arm_of(const Kind& kind, unsigned cpus, std::uint64_t milliseconds, const std::string& name) {
  Arm arm = guest_arm(name, "@load", fmt::format("kind={} ms={}", kind.guest, milliseconds));
  arm.options.cpus = cpus;
  arm.options.account = kind.work != Work::unrecorded;
  arm.options.exit_probe = kind.work == Work::doorbell;
  return arm;
}

/// Of a turn: all its machines together.
struct Turn {
  std::vector<ArmRun> machines;

  [[nodiscard]] bool failed() const {
    return std::any_of(machines.begin(), machines.end(), [](const ArmRun& run) { return run.failed(); });
  }
  [[nodiscard]] std::optional<double> rate() const {
    double sum = 0;
    for (const ArmRun& run : machines) sum += load_rate(run).value_or(0);
    return sum > 0 ? std::optional(sum) : std::nullopt;
  }
  [[nodiscard]] std::optional<double> p99() const {
    std::optional<double> greatest;
    for (const ArmRun& run : machines)
      if (const auto p99 = load_p99(run)) greatest = std::max(greatest.value_or(0), *p99);
    return greatest;
  }
  [[nodiscard]] std::optional<double> service_p99() const {
    stats::TimeStats service;
    double khz = 0;
    for (const ArmRun& run : machines) {
      service += load_returns(run).service;
      khz = static_cast<double>(run.tsc_khz());
    }
    if (service.count() == 0) return std::nullopt;
    return static_cast<double>(service.quantile(0.99)) / (khz * 1e3);
  }
};

ExperimentCell spread_of_turns(const std::vector<Turn>& turns,
                               std::optional<double> (Turn::*figure)() const) {
  std::vector<double> values;
  for (const Turn& turn : turns) {
    if (turn.failed()) continue;
    if (const auto value = (turn.*figure)()) values.push_back(*value);
  }
  if (values.empty()) return {};
  return spread_of(std::move(values));
}

double median_rate(const std::vector<Turn>& turns) {
  const ExperimentCell cell = spread_of_turns(turns, &Turn::rate);
  const auto* spread = std::get_if<report::Spread>(&cell);
  return spread == nullptr ? 0 : spread->median;
}

struct Configuration {
  const Kind* kind;
  unsigned cpus;
  unsigned machines;
  std::vector<Turn> turns{};

  [[nodiscard]] std::string name() const {
    return fmt::format("{}, {} vCPU{}, {} VM{}", kind->name, cpus, cpus == 1 ? "" : "s", machines,
                       machines == 1 ? "" : "s");
  }
};

std::vector<Configuration> configurations() {
  std::vector<Configuration> all;
  for (const Kind& kind : kinds) {
    for (const unsigned size : sizes) all.push_back({&kind, size, 1});
  }
  for (const unsigned size : sizes) {
    if (size > 1) all.push_back({&kinds.front(), 1, size});
  }
  return all;
}

void run(Context& context, std::vector<Configuration>& all, int most_cpus) {
  constexpr unsigned repetitions = 5;
  const auto milliseconds = static_cast<std::uint64_t>(
      std::max(10.0, 1000 * 0.6 * context.budget_seconds() / repetitions / static_cast<double>(all.size())));
  double longest = 0;
  for (unsigned turn = 0; turn < repetitions; ++turn) {
    const double before = context.seconds_left();
    if (turn > 0 && before < longest) break;
    for (Configuration& one : all) {
      if (static_cast<int>(one.cpus) > most_cpus) continue;
      if (!one.turns.empty() && one.turns.back().failed()) continue;
      const std::vector<Arm> arms(one.machines, arm_of(*one.kind, one.cpus, milliseconds, one.name()));
      Turn& done = one.turns.emplace_back();
      if (one.machines == 1)
        done.machines.push_back(context.run(arms.front()));
      else
        done.machines = context.run_together(arms);
    }
    longest = std::max(longest, before - context.seconds_left());
  }
}

void check(const Configuration& one, report::ExperimentResult& result) {
  for (const Turn& turn : one.turns) {
    for (const ArmRun& run : turn.machines) {
      if (run.failed()) {
        result.failures.push_back(run.failure);
        continue;
      }
      const std::uint64_t wanted = one.kind->work == Work::port ? load_rounds(run) : 0;
      result.expect(one.name(), wanted, load_returns(run).count);
    }
  }
}

std::string answer_of(const std::vector<Configuration>& all, unsigned host_cpus) {
  const auto rate = [&](Work work, unsigned cpus) {
    for (const Configuration& one : all) {
      if (one.kind->work == work && one.cpus == cpus && one.machines == 1) return median_rate(one.turns);
    }
    return 0.0;
  };
  const double one = rate(Work::port, 1), two = rate(Work::port, 2), bare = rate(Work::unrecorded, 2);
  if (one == 0 || two == 0 || bare == 0)
    return "The figures support no answer: two vCPUs could not be measured.";
  return fmt::format(
      "Two vCPUs make {:.2f} times the exits of one ({}/s, {}/s) on a host of {} CPUs; the recorder's share "
      "of "
      "two is {:.0f}%{}.",
      two / one, report::grouped(static_cast<std::uint64_t>(two)),
      report::grouped(static_cast<std::uint64_t>(one)), host_cpus, 100 * (1 - two / bare),
      two > bare ? ", which is to say that the host's other work hides it" : "");
}

}  // namespace

void run_scale(Context& context, report::ExperimentResult& result) {
  const int most_cpus = Kvm().extension(KVM_CAP_MAX_VCPUS);
  const unsigned host_cpus = std::max(1u, std::thread::hardware_concurrency());
  std::vector<Configuration> all = configurations();
  run(context, all, most_cpus);

  report::ExperimentTable table{.id = "rates",
                                .title = "Exits by the number of vCPUs and of machines",
                                .columns = {{"work", "work", Unit::words},
                                            {"vcpus", "vCPUs", Unit::count},
                                            {"machines", "VMs", Unit::count},
                                            {"rate", "rounds/s", Unit::per_second},
                                            {"each", "a vCPU", Unit::per_second, 3},
                                            {"to_one", "to one", Unit::ratio, 1},
                                            {"round_p99_s", "round p99", Unit::seconds, 2},
                                            {"service_p99_s", "service p99", Unit::seconds}},
                                .rows = {},
                                .notes = {}};
  double of_one = 0;
  for (const Configuration& one : all) {
    check(one, result);
    std::vector<ExperimentCell> cells{std::string(one.kind->name), static_cast<double>(one.cpus),
                                      static_cast<double>(one.machines)};
    if (one.turns.empty()) {
      table.add_not_here(std::move(cells),
                         fmt::format("this host's KVM has {} vCPUs in a machine", most_cpus));
      continue;
    }
    const double rate = median_rate(one.turns);
    if (one.cpus * one.machines == 1) of_one = rate;
    const double base = one.machines > 1 ? median_rate(all.front().turns) : of_one;
    cells.push_back(spread_of_turns(one.turns, &Turn::rate));
    cells.emplace_back(rate / one.cpus / one.machines);
    cells.emplace_back(base == 0 ? 0 : rate / base);
    cells.push_back(spread_of_turns(one.turns, &Turn::p99));
    cells.push_back(spread_of_turns(one.turns, &Turn::service_p99));
    table.add(std::move(cells));
  }
  table.notes.push_back(fmt::format(
      "This host has {} CPUs: beyond them, vCPUs wait for each other. Rates are sums over vCPUs and "
      "machines; "
      "to one compares with one vCPU at the same work. The recorder's share is what OUT, returns, lacks to "
      "OUT, not recorded.",
      host_cpus));
  result.answer = answer_of(all, host_cpus);
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
