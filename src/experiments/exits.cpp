// exits: the price list.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "experiments/exit_kinds.hpp"
#include "experiments/experiment.hpp"
#include "kvmbench_abi.h"
#include "report/units.hpp"
#include "vmm/host_facts.hpp"
#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

void run_exits(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;
constexpr std::string_view baseline = "nothing";

/// Why this host cannot have it at all; "" where nothing is known against it.
std::string obstacle(const ExitKind& kind, const Kvm& kvm, const std::string& module) {
  if (kind.capability != 0 && kvm.extension(kind.capability) <= 0)
    return fmt::format("this host's KVM lacks {}", kind.lacking);
  const bool hardware = module.starts_with("kvm_intel") || module.starts_with("kvm_amd");
  if (kind.guest == "hypercall" && !hardware)
    return fmt::format("{} emulates the guest's every instruction, and VMCALL without end", module);
  return {};
}

std::string module_of_host() {
  for (const auto& [name, value] : host_facts()) {
    if (name == "kvm module") return value;
  }
  return {};
}

Arm arm_of(ExitKind::Arm number, const std::string& guests_kinds, std::uint64_t microseconds) {
  constexpr std::array<std::string_view, ExitKind::arms> names{"one vCPU", "x2APIC", "xAPIC", "huge pages"};
  Arm arm = guest_arm(std::string(names[number]), "@prices",
                      fmt::format("us={} kinds={}", microseconds, guests_kinds));
  arm.options.exit_probe = number == ExitKind::one_cpu;
  arm.options.huge_pages = number == ExitKind::huge_pages;
  if (number == ExitKind::x2apic || number == ExitKind::xapic) arm.options.cpus = 2;
  if (number == ExitKind::xapic) arm.options.cpuid_mask.emplace_back("x2apic");
  return arm;
}

/// Neither a mark nor a question to the exit-count interface, which the guest has between its rounds.
bool of_rounds(const stats::ExitKey& key) {
  constexpr std::uint64_t mark = 0x80;
  if (key.reason == KVM_EXIT_INTR || key.reason == (stats::error_reason | EAGAIN)) return false;
  const bool question =
      key.address >= KVMBENCH_DEFAULT_PORT && key.address < KVMBENCH_DEFAULT_PORT + KVMBENCH_PORT_COUNT;
  return key.reason != KVM_EXIT_IO || (key.address != mark && !question);
}

stats::KeyStats returns_of(const ArmRun& run, const ExitKind& kind) {
  const auto mark = run.guest.number(kind.guest, "mark");
  return mark ? run.exits_where(static_cast<std::uint8_t>(*mark), of_rounds) : stats::KeyStats{};
}

ExperimentCell seconds_of(const std::vector<ArmRun>& runs, const ExitKind& kind, std::string_view figure) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto cycles = run.guest.figure(kind.guest, figure);
    return cycles ? std::optional(run.seconds(*cycles)) : std::nullopt;
  });
}

/// Medians of p50 in seconds without that of the two RDTSC, which are an arm's own only in the first one.
ExperimentCell net_of(const std::vector<ArmRun>& runs, const ExitKind& kind, double clock_seconds) {
  if (kind.guest == baseline) return {};
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto cycles = run.guest.figure(kind.guest, "p50");
    return cycles ? std::optional(run.seconds(*cycles) - clock_seconds) : std::nullopt;
  });
}

class PriceList final {
 public:
  PriceList(Context& context, report::ExperimentResult& result) : context_(context), result_(result) {}

  void fill() {
    const std::string module = module_of_host();
    const Kvm kvm;
    for (std::size_t i = 0; i < exit_kind_count; ++i) {
      if (std::string why = obstacle(exit_kinds()[i], kvm, module); !why.empty())
        not_here_[i] = std::move(why);
      else
        wanted_[exit_kinds()[i].arm] +=
            (wanted_[exit_kinds()[i].arm].empty() ? "" : ",") + std::string(exit_kinds()[i].guest);
    }
    run();
    clock_ = median_clock();
    table_.columns = columns();
    for (std::size_t i = 0; i < exit_kind_count; ++i) add(i);
    answer();
    notes();
    result_.tables.push_back(std::move(table_));
  }

 private:
  void run() {
    constexpr unsigned repetitions = 5;
    const double each = 0.8 * context_.budget_seconds() / repetitions / static_cast<double>(exit_kind_count);
    const auto microseconds = static_cast<std::uint64_t>(std::max(500.0, each * 1e6));
    std::vector<Arm> arms;
    for (const ExitKind::Arm number :
         {ExitKind::one_cpu, ExitKind::x2apic, ExitKind::xapic, ExitKind::huge_pages})
      arms.push_back(arm_of(number, wanted_[number], microseconds));
    runs_ = context_.interleave(arms, repetitions);
    for (const ExitKind::Arm number : {ExitKind::one_cpu, ExitKind::x2apic, ExitKind::xapic}) {
      for (const ArmRun& run : runs_[number]) {
        if (run.failed()) result_.failures.push_back(run.failure);
      }
    }
  }

  [[nodiscard]] double median_clock() const {
    std::vector<double> seconds;
    for (const ArmRun& run : runs_[ExitKind::one_cpu]) {
      if (const auto cycles = run.guest.figure(baseline, "p50")) seconds.push_back(run.seconds(*cycles));
    }
    return median_of(std::move(seconds));
  }

  [[nodiscard]] std::vector<report::ExperimentColumn> columns() const {
    std::vector<report::ExperimentColumn> columns{
        {"kind", "exit", Unit::words},       {"server", "served by", Unit::words, 3},
        {"returns", "returns", Unit::ratio}, {"kernel_exits", "HW exits", Unit::ratio, 1},
        {"net_s", "net", Unit::seconds},     {"mean_s", "mean", Unit::seconds, 5},
        {"p50_s", "p50", Unit::seconds, 8},  {"p99_s", "p99", Unit::seconds, 4},
        {"max_s", "max", Unit::seconds, 9},  {"service_s", "service", Unit::seconds, 6},
        {"rounds", "rounds", Unit::count, 7}};
    if (context_.traced()) columns.push_back({"kernel_s", "out of guest", Unit::seconds, 2});
    columns.push_back({"published_cycles", "published", Unit::words, 10});
    return columns;
  }

  void add(std::size_t number) {
    const ExitKind& kind = exit_kinds()[number];
    std::vector<ExperimentCell> names{std::string(kind.name), std::string(kind.server)};
    const std::vector<ArmRun>& runs = runs_[kind.arm];
    std::string why = not_here_[number];
    if (why.empty() && runs.front().failed()) why = runs.front().failure;
    if (const auto told = runs.front().guest.unavailable.find(kind.guest);
        why.empty() && told != runs.front().guest.unavailable.end())
      why = told->second;
    if (!why.empty()) return table_.add_not_here(std::move(names), std::move(why));
    table_.add(row(kind, runs, std::move(names)));
  }

  [[nodiscard]] std::vector<ExperimentCell> row(const ExitKind& kind, const std::vector<ArmRun>& runs,
                                                std::vector<ExperimentCell> cells) {
    double rounds = 0, returns = 0;
    for (const ArmRun& run : runs) {
      const std::uint64_t done = run.guest.number(kind.guest, "rounds").value_or(0);
      const std::uint64_t counted = returns_of(run, kind).count;
      rounds += static_cast<double>(done);
      returns += static_cast<double>(counted);
      if (kind.rounds_a_return == ExitKind::not_determined || run.failed()) continue;
      result_.expect(fmt::format("{} ({})", kind.name, kind.server),
                     kind.rounds_a_return == ExitKind::none ? 0 : done / kind.rounds_a_return, counted);
    }
    const auto kernel_exits = [&](const ArmRun& run) -> std::optional<double> {
      const auto exits = run.guest.figure(kind.guest, "exits"), done = run.guest.figure(kind.guest, "rounds");
      if (!exits || !done || *done == 0) return std::nullopt;
      // A question is three accesses, and the counter is read by its second one.
      constexpr double of_questions = 3;
      return std::max(0.0, *exits - of_questions) / *done;
    };
    const auto service = [&](const ArmRun& run) -> std::optional<double> {
      const stats::TimeStats times = returns_of(run, kind).service;
      return times.count() == 0 ? std::nullopt : std::optional(run.seconds(times.mean()));
    };
    cells.emplace_back(rounds == 0 ? 0 : returns / rounds);
    cells.push_back(median_only(spread_over(runs, kernel_exits)));
    cells.push_back(net_of(runs, kind, clock_));
    for (const char* figure : {"mean", "p50", "p99", "max"}) cells.push_back(seconds_of(runs, kind, figure));
    cells.push_back(spread_over(runs, service));
    cells.emplace_back(rounds);
    if (context_.traced()) {
      cells.push_back(spread_over(runs, [&](const ArmRun& run) {
        return kind.detail ? run.kernel_seconds(*kind.detail, kind.value) : std::nullopt;
      }));
    }
    cells.emplace_back(std::string(kind.published.empty() ? "-" : kind.published));
    return cells;
  }

  [[nodiscard]] static ExperimentCell median_only(const ExperimentCell& cell) {
    const auto* spread = std::get_if<report::Spread>(&cell);
    return spread == nullptr ? ExperimentCell{} : ExperimentCell{spread->median};
  }

  /// The medians of `net` by the rows' returns: those which KVM serves, and those which come here.
  void answer() {
    constexpr std::size_t returns = 2, net = 4;
    std::vector<double> kernel, here;
    for (const report::ExperimentRow& row : table_.rows) {
      if (row.cells.size() <= net) continue;
      const auto* price = std::get_if<report::Spread>(&row.cells[net]);
      if (price == nullptr || std::get<std::string>(row.cells[1]) == "guest") continue;
      const double share = std::get<double>(row.cells[returns]);
      if (share == 1) here.push_back(price->median);
      if (share == 0) kernel.push_back(price->median);
    }
    if (kernel.empty() || here.empty()) {
      result_.answer = "The figures support no answer: too little could be measured.";
      return;
    }
    const double within = median_of(kernel), without = median_of(here);
    result_.answer = fmt::format(
        "What returns to this program costs {} in the median of its {} kinds, what does not {} in that of "
        "its "
        "{}: {}.",
        report::duration(without), here.size(), report::duration(within), kernel.size(),
        without > within ? fmt::format("{:.1f} times as much", without / std::max(within, 1e-12))
                         : "a return is not what costs most here");
  }

  /// What a byte of a string instruction costs: a share of its row's net.
  [[nodiscard]] std::string price_of_bytes() const {
    constexpr std::size_t net = 4;
    std::string prices;
    for (std::size_t i = 0; i < exit_kind_count; ++i) {
      const ExitKind& kind = exit_kinds()[i];
      const std::vector<ExperimentCell>& cells = table_.rows[i].cells;
      const auto* price = cells.size() > net ? std::get_if<report::Spread>(&cells[net]) : nullptr;
      if (price == nullptr || kind.string_instruction.empty()) continue;
      prices += fmt::format("{}{} {}", prices.empty() ? "" : ", ", kind.string_instruction,
                            report::duration(price->median / ExitKind::string_bytes));
    }
    return prices.empty() ? prices
                          : fmt::format("A byte, net, by a string instruction of {}: {}.",
                                        ExitKind::string_bytes, prices);
  }

  void notes() {
    table_.notes = {
        "Times are the guest's own, from before to after; net is p50 without the two RDTSC. service is this "
        "program's part; returns are those of KVM_RUN in a round, HW exits KVM's own count.",
        "published: cycles of other hosts, for comparison of magnitudes only. [1] Dall et al., ARM "
        "Virtualization: Performance and Architectural Implications, ISCA 2016, table II, x86 KVM on a Xeon "
        "E5-2450 of 2.1 GHz: hypercall, access to the interrupt controller, kick of a device, IPI. For any "
        "exit, 2,000 cycles were published by Landau et al., SplitX, WIOV 2011, on a Xeon X5570."};
    if (std::string bytes = price_of_bytes(); !bytes.empty())
      table_.notes.insert(table_.notes.begin() + 1, std::move(bytes));
  }

  Context& context_;
  report::ExperimentResult& result_;
  std::array<std::string, exit_kind_count> not_here_{};
  std::array<std::string, ExitKind::arms> wanted_{};
  std::vector<std::vector<ArmRun>> runs_;
  double clock_ = 0;  // seconds of two RDTSC
  report::ExperimentTable table_{
      .id = "prices", .title = "What an exit costs", .columns = {}, .rows = {}, .notes = {}};
};

}  // namespace

void run_exits(Context& context, report::ExperimentResult& result) {
  PriceList(context, result).fill();
}

}  // namespace kvmbench::experiments
