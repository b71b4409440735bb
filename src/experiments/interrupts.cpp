// interrupts: ways in which the host interrupts a guest.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/devices.hpp"
#include "experiments/exit_reasons.hpp"
#include "experiments/experiment.hpp"
#include "report/units.hpp"
#include "vmm/host_facts.hpp"
#include "vmm/kvm_host.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_interrupts(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

/// A way as guests/interrupts.c names it, and what an interrupt finds.
struct Delivery {
  std::string_view name;
  std::string_view way;
  std::string_view state;
  Irqchip irqchip = Irqchip::full;
};

constexpr std::array deliveries{
    Delivery{"KVM_IRQ_LINE, level", "line", "spin"},
    Delivery{"KVM_IRQ_LINE, level", "line", "halt"},
    Delivery{"irqfd, I/O APIC", "irqfd", "spin"},
    Delivery{"irqfd, I/O APIC", "irqfd", "halt"},
    Delivery{"irqfd, MSI route", "route", "spin"},
    Delivery{"irqfd, MSI route", "route", "halt"},
    Delivery{"KVM_SIGNAL_MSI", "message", "spin"},
    Delivery{"KVM_SIGNAL_MSI", "message", "halt"},
    Delivery{"I/O APIC in user space, level", "line", "spin", Irqchip::split},
    Delivery{"I/O APIC in user space, level", "line", "halt", Irqchip::split},
    Delivery{"polled page", "page", "spin"},
};

constexpr std::uint8_t mark_interrupts = 0x71, mark_result = 0x72;
constexpr double asked_rate = 100'000;  // interrupts a second
constexpr unsigned repetitions = 3;

bool is_polled(const Delivery& delivery) {
  return delivery.way == "page";
}

std::string arm_name(const Delivery& delivery) {
  return fmt::format("{}{}-{}", delivery.irqchip == Irqchip::split ? "split-" : "", delivery.way,
                     delivery.state);
}

Arm arm_of(const Delivery& delivery, std::uint64_t interrupts) {
  Arm arm = guest_arm(arm_name(delivery), "@interrupts",
                      fmt::format("way={} state={} n={}", delivery.way, delivery.state, interrupts));
  arm.options.irqchip = delivery.irqchip;
  arm.options.interrupt_source = true;
  return arm;
}

/// So many that all arms fit into the budget as often as they are to be repeated.
std::uint64_t interrupts_within(Context& context) {
  constexpr std::uint64_t tried = 50;
  constexpr std::size_t typical = 2;
  const ArmRun none = context.try_out(arm_of(deliveries[typical], 0));
  const ArmRun some = context.try_out(arm_of(deliveries[typical], tried));
  const double each = 0.8 * context.seconds_left() / repetitions / static_cast<double>(deliveries.size());
  const double a_round = std::max((some.wall_seconds - none.wall_seconds) / tried, 120e-6);
  return rounds_within(std::max(each - none.wall_seconds, 0.0), a_round, 20, 20'000);
}

std::vector<report::ExperimentColumn> columns() {
  return {{"way", "way", Unit::words},
          {"state", "vCPU", Unit::words},
          {"returns", "returns", Unit::ratio},
          {"exits", "exits", Unit::ratio},
          {"reasons", "by reason", Unit::words, 1},
          {"latency_p50_s", "latency p50", Unit::seconds},
          {"latency_p99_s", "latency p99", Unit::seconds, 3},
          {"round_trip_p50_s", "round trip p50", Unit::seconds, 5},
          {"raise_p50_s", "raising p50", Unit::seconds, 4},
          {"lost_p50_s", "vCPU loses p50", Unit::seconds, 2},
          {"share", "computed: core at 100,000/s", Unit::share},
          {"rounds", "interrupts", Unit::count, 6}};
}
enum Column : std::size_t { column_way, column_state, column_returns, column_exits, column_latency = 5 };

/// What an interrupt keeps the vCPU from its work for: the gap in it, less a round of that work.
std::optional<double> lost_seconds(const ArmRun& run) {
  const auto gap = run.guest.figure("lost", "p50"), round = run.guest.figure("round", "p50");
  if (!gap || !round) return std::nullopt;
  return run.seconds(std::max(*gap - *round, 0.0));
}

/// Returns of KVM_RUN that belong to the interrupts: those of the asking for them and of the mark that ends
/// the phase do not. KVM may tell the last end of interrupt after that mark.
std::uint64_t returns_of(const ArmRun& run) {
  constexpr std::uint64_t own = 2;
  const std::uint64_t all = run.exits_in(mark_interrupts).count;
  return all - std::min(all, own) + run.exits_in(mark_result, KVM_EXIT_IOAPIC_EOI).count;
}

/// For a level-triggered line, the guest lowers it by a register of the device; an I/O APIC in user space is
/// told of the end of interrupt. All else KVM does.
std::uint64_t expected_returns(const ArmRun& run, const Delivery& delivery) {
  const std::uint64_t interrupts =
      run.guest.number("window", "rounds").value_or(0) + run.guest.number("clock", "again").value_or(0);
  if (delivery.way != "line") return 0;
  return interrupts * (delivery.irqchip == Irqchip::split ? 2 : 1);
}

std::vector<ExperimentCell> row_of(const Delivery& delivery, const std::vector<ArmRun>& runs,
                                   const ArmRun& without, report::ExperimentResult& result) {
  double rounds = 0, returns = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto done = runs[i].guest.number("window", "rounds");
    if (runs[i].failed() || !done) continue;
    rounds += static_cast<double>(*done);
    returns += static_cast<double>(returns_of(runs[i]));
    result.expect(fmt::format("{}, repetition {}: returns of KVM_RUN", arm_name(delivery), i + 1),
                  expected_returns(runs[i], delivery), returns_of(runs[i]));
  }
  const Amount interrupts = amount_of("window", "rounds");
  const ExperimentCell lost = spread_over(runs, lost_seconds);
  ExperimentCell share;
  if (is_polled(delivery)) share = 1.0;
  if (const auto* spread = std::get_if<report::Spread>(&lost)) share = spread->median * asked_rate;
  return {std::string(delivery.name),
          std::string(delivery.state == "halt" ? "halts"
                      : is_polled(delivery)    ? "polls"
                                               : "works"),
          rounds == 0 ? ExperimentCell{} : ExperimentCell{returns / rounds},
          exits_per(runs, "window", interrupts),
          reasons_per(runs, "window", interrupts, without),
          seconds_of(runs, "latency", "p50"),
          seconds_of(runs, "latency", "p99"),
          seconds_of(runs, "round-trip", "p50"),
          seconds_of(runs, "raise", "p50"),
          lost,
          share,
          rounds};
}

std::string fact(const HostFacts& facts, std::string_view name) {
  const auto found =
      std::find_if(facts.begin(), facts.end(), [&](const auto& one) { return one.first == name; });
  return found == facts.end() ? "unknown" : found->second;
}

/// KVM posts interrupts to a running vCPU where the hardware does and its own APIC virtualisation is on.
std::string posted_interrupts() {
  const stats::KvmHost host = read_kvm_host();
  const auto is_on = [&host](const char* name) {
    const auto found = host.parameters.find(name);
    return found != host.parameters.end() && (found->second == "Y" || found->second == "1");
  };
  switch (host.vendor) {
    case stats::Vendor::vmx:
      if (!is_on("enable_apicv")) return "off (enable_apicv is)";
      if (!host.vmx_flags) return "unknown (/proc/cpuinfo has no \"vmx flags\")";
      return host.vmx_flags->contains("posted_intr") ? "on" : "off (this CPU has none)";
    case stats::Vendor::svm:
      return is_on("avic") ? "on, by AVIC's doorbell" : "off (avic is)";
    case stats::Vendor::unknown:
      break;
  }
  return "unknown (neither kvm_intel nor kvm_amd)";
}

void add_notes(report::ExperimentTable& table, const std::vector<std::vector<ArmRun>>& arms) {
  std::uint64_t uncertainty = 0, early = 0, again = 0, repeats = 0;
  for (const auto& runs : arms) {
    for (const ArmRun& run : runs) {
      uncertainty = std::max(uncertainty, run.guest.number("clock", "uncertainty").value_or(0));
      early += run.guest.number("clock", "early").value_or(0);
      again += run.guest.number("clock", "again").value_or(0);
      repeats += run.guest.number("clock", "repeats").value_or(0);
    }
  }
  table.notes.push_back(fmt::format("APIC virtualisation: {}. Posted interrupts: {}.",
                                    fact(host_facts(), "apic virtualisation"), posted_interrupts()));
  table.notes.emplace_back(
      "Returns (of KVM_RUN) and exits are per interrupt, its end (EOI) included. Latency is from just before "
      "the host raises it to the handler; the round trip ends where the host sees it handled.");
  table.notes.push_back(where_reasons_are_from(arms));
  table.notes.push_back(
      uncertainty == 0
          ? std::string("What lies between the two TSCs is known exactly.")
          : fmt::format("What lies between the two TSCs is known to within {} cycles.", uncertainty));
  table.notes.emplace_back(
      "Computed, not measured: the core's share is 100,000 times the median of what the vCPU loses; the "
      "host's own work to raise them comes on top. A guest that polls has its core for nothing else.");
  if (early > 0)
    table.notes.push_back(fmt::format("{} came before they were raised, by these clocks.", early));
  if (again > 0)
    table.notes.push_back(
        fmt::format("{} interrupts came that nobody had raised, or that were repeated.", again));
  if (repeats > 0)
    table.notes.push_back(fmt::format("{} were not handled within a second, and raised again.", repeats));
}

/// Of the ways that interrupt a vCPU at work.
std::string answer_of(const report::ExperimentTable& table) {
  struct Ranked {
    const report::ExperimentRow* row;
    report::Spread exits, latency;
  };
  std::vector<Ranked> ranked;
  for (const report::ExperimentRow& row : table.rows) {
    if (!row.not_here.empty() || std::get<std::string>(row.cells[column_state]) != "works") continue;
    const auto* exits = std::get_if<report::Spread>(&row.cells[column_exits]);
    const auto* latency = std::get_if<report::Spread>(&row.cells[column_latency]);
    if (exits != nullptr && latency != nullptr) ranked.push_back({&row, *exits, *latency});
  }
  if (ranked.size() < 2) return "The figures support no answer: too few ways could be measured.";
  const auto [fewest, most] =
      std::minmax_element(ranked.begin(), ranked.end(),
                          [](const auto& a, const auto& b) { return a.exits.median < b.exits.median; });
  const auto name = [](const Ranked& one) { return std::get<std::string>(one.row->cells[column_way]); };
  if (!clearly_less(fewest->exits, most->exits))
    return "A working vCPU's exits per interrupt do not tell the ways apart in these figures.";
  std::string answer = fmt::format("A working vCPU has {} exits per interrupt by {} and {} by {}",
                                   report::ratio(fewest->exits.median), name(*fewest),
                                   report::ratio(most->exits.median), name(*most));
  answer += clearly_less(fewest->latency, most->latency)
                ? fmt::format(", with a latency of {} and {}.", report::duration(fewest->latency.median),
                              report::duration(most->latency.median))
                : "; their latencies are not told apart by these figures.";
  return answer;
}

}  // namespace

void run_interrupts(Context& context, report::ExperimentResult& result) {
  const std::uint64_t interrupts = interrupts_within(context);
  std::vector<Arm> arms;
  for (const Delivery& delivery : deliveries) arms.push_back(arm_of(delivery, interrupts));
  std::vector<ArmRun> without;  // as KVM's counters are of whole runs
  for (const Irqchip irqchip : {Irqchip::full, Irqchip::split})
    without.push_back(context.try_out(arm_of({"", "line", "spin", irqchip}, 0)));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms, repetitions);

  report::ExperimentTable table{
      .id = "interrupts", .title = "What an interrupt costs", .columns = columns(), .rows = {}, .notes = {}};
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    const Delivery& delivery = deliveries[i];
    for (const ArmRun& run : runs[i])
      if (run.failed()) result.failures.push_back(fmt::format("{}: {}", arms[i].name, run.failure));
    table.add(row_of(delivery, runs[i], without[delivery.irqchip == Irqchip::split ? 1 : 0], result));
  }
  add_notes(table, runs);
  result.answer = answer_of(table);
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
