// exits: the price list.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/error.hpp"
#include "experiments/experiment.hpp"
#include "kvmbench_abi.h"
#include "report/units.hpp"
#include "vmm/exit_probe.hpp"
#include "vmm/host_facts.hpp"

namespace kvmbench::experiments {

void run_exits(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;
using Detail = stats::HardwareDetail::Kind;

enum ArmNumber : std::size_t { one_cpu, x2apic, xapic, huge_pages };
constexpr std::size_t arm_count = 4;

/// How many rounds cause one return of KVM_RUN.
constexpr std::uint64_t none = 0;
constexpr std::uint64_t not_determined = ~std::uint64_t{0};
/// A ring of one page with a header of 8 bytes and 24 bytes a write, one of which stays empty
/// (linux/kvm.h, kvm_coalesced_mmio_ring): the write that finds it full returns.
constexpr std::uint64_t ring_full = (4096 - 8) / 24;

/// A kind of exit as guests/prices.c makes it.
struct Kind {
  std::string_view guest;   ///< its name there
  std::string_view name;    ///< in the table
  std::string_view server;  ///< who serves it
  ArmNumber arm = one_cpu;
  std::uint64_t rounds_a_return = none;
  std::optional<Detail> detail{};  ///< under which a tracer finds it
  std::uint64_t value = 0;
  long capability = 0;  ///< of KVM's, without which it cannot be; 0: none
  std::string_view lacking{};
  std::string_view published{};
};

constexpr std::array kinds{
    Kind{.guest = "nothing", .name = "nothing (two RDTSC)", .server = "nobody"},
    Kind{.guest = "cpuid", .name = "CPUID", .server = "kernel", .detail = Detail::cpuid, .value = 0},
    Kind{.guest = "hypercall", .name = "hypercall", .server = "kernel", .published = "1,300 [1]"},
    Kind{.guest = "rdmsr-kernel", .name = "RDMSR", .server = "kernel", .detail = Detail::msr, .value = 0x1b},
    Kind{.guest = "wrmsr-kernel", .name = "WRMSR", .server = "kernel", .detail = Detail::msr, .value = 0x8b},
    Kind{.guest = "rdmsr-user",
         .name = "RDMSR",
         .server = "VMM",
         .rounds_a_return = 1,
         .detail = Detail::msr,
         .value = KVMBENCH_DEFAULT_MSR},
    Kind{.guest = "wrmsr-user",
         .name = "WRMSR, answered by #GP",
         .server = "VMM",
         .rounds_a_return = 1,
         .detail = Detail::msr,
         .value = KVMBENCH_DEFAULT_MSR},
    Kind{.guest = "in-irqchip",
         .name = "IN",
         .server = "kernel (PIC)",
         .detail = Detail::port,
         .value = 0x21,
         .published = "2,384 [1]"},
    Kind{.guest = "out-irqchip",
         .name = "OUT",
         .server = "kernel (PIC)",
         .detail = Detail::port,
         .value = 0x21},
    Kind{.guest = "in-device",
         .name = "IN",
         .server = "VMM (UART)",
         .rounds_a_return = 1,
         .detail = Detail::port,
         .value = 0x3ff},
    Kind{.guest = "out-device",
         .name = "OUT",
         .server = "VMM (UART)",
         .rounds_a_return = 1,
         .detail = Detail::port,
         .value = 0x3ff},
    Kind{.guest = "in-nobody",
         .name = "IN",
         .server = "nobody",
         .rounds_a_return = 1,
         .detail = Detail::port,
         .value = 0x2f00},
    Kind{.guest = "out-nobody",
         .name = "OUT",
         .server = "nobody",
         .rounds_a_return = 1,
         .detail = Detail::port,
         .value = 0x2f00},
    Kind{.guest = "rep-out",
         .name = "REP OUTSB of 64 bytes",
         .server = "nobody",
         .rounds_a_return = not_determined},
    Kind{.guest = "rep-in",
         .name = "REP INSB of 64 bytes",
         .server = "nobody",
         .rounds_a_return = not_determined},
    Kind{.guest = "mmio-read",
         .name = "MMIO read",
         .server = "nobody",
         .rounds_a_return = 1,
         .detail = Detail::mmio,
         .value = 0xdf000000},
    Kind{.guest = "mmio-write",
         .name = "MMIO write",
         .server = "nobody",
         .rounds_a_return = 1,
         .detail = Detail::mmio,
         .value = 0xdf000004},
    Kind{.guest = "doorbell-port",
         .name = "ioeventfd, port, any length",
         .server = "kernel",
         .capability = KVM_CAP_IOEVENTFD_ANY_LENGTH,
         .lacking = "KVM_CAP_IOEVENTFD_ANY_LENGTH"},
    Kind{.guest = "doorbell-port-exact",
         .name = "ioeventfd, port, exact",
         .server = "kernel",
         .capability = KVM_CAP_IOEVENTFD,
         .lacking = "KVM_CAP_IOEVENTFD"},
    Kind{.guest = "doorbell-mmio",
         .name = "ioeventfd, MMIO, any length",
         .server = "kernel",
         .capability = KVM_CAP_IOEVENTFD_ANY_LENGTH,
         .lacking = "KVM_CAP_IOEVENTFD_ANY_LENGTH"},
    Kind{.guest = "doorbell-mmio-exact",
         .name = "ioeventfd, MMIO, exact",
         .server = "kernel",
         .capability = KVM_CAP_IOEVENTFD,
         .lacking = "KVM_CAP_IOEVENTFD",
         .published = "560 [1]"},
    Kind{.guest = "coalesced-mmio",
         .name = "MMIO write, coalesced",
         .server = "kernel",
         .rounds_a_return = ring_full,
         .capability = KVM_CAP_COALESCED_MMIO,
         .lacking = "KVM_CAP_COALESCED_MMIO"},
    Kind{.guest = "coalesced-port",
         .name = "OUT, coalesced",
         .server = "kernel",
         .rounds_a_return = ring_full,
         .capability = KVM_CAP_COALESCED_PIO,
         .lacking = "KVM_CAP_COALESCED_PIO"},
    Kind{.guest = "cr0", .name = "read and write of CR0 (TS)", .server = "kernel"},
    Kind{.guest = "cr4", .name = "read and write of CR4", .server = "kernel"},
    Kind{.guest = "cr8", .name = "write of CR8", .server = "kernel"},
    Kind{.guest = "dr7", .name = "write of DR7", .server = "kernel"},
    Kind{.guest = "cr3", .name = "CR3 switch", .server = "kernel"},
    Kind{.guest = "cr3-pcid", .name = "CR3 switch, with PCID", .server = "kernel"},
    Kind{.guest = "invlpg", .name = "INVLPG", .server = "kernel"},
    Kind{.guest = "irqfd-wake",
         .name = "HLT, woken by irqfd",
         .server = "kernel",
         .capability = KVM_CAP_IOEVENTFD_ANY_LENGTH,
         .lacking = "KVM_CAP_IOEVENTFD_ANY_LENGTH"},
    Kind{.guest = "self-ipi", .name = "self-IPI, x2APIC MSR", .server = "kernel", .arm = x2apic},
    Kind{.guest = "self-ipi", .name = "self-IPI, xAPIC MMIO", .server = "kernel", .arm = xapic},
    Kind{.guest = "ipi",
         .name = "IPI, x2APIC MSR",
         .server = "kernel",
         .arm = x2apic,
         .published = "5,230 [1]"},
    Kind{.guest = "ipi", .name = "IPI, xAPIC MMIO", .server = "kernel", .arm = xapic},
    Kind{.guest = "timer-arm",
         .name = "TSC deadline, armed",
         .server = "kernel",
         .detail = Detail::msr,
         .value = 0x6e0},
    Kind{.guest = "timer-wake", .name = "HLT, woken late by timer", .server = "kernel"},
    Kind{.guest = "pause", .name = "PAUSE", .server = "CPU"},
    Kind{.guest = "ud", .name = "#UD and IRET", .server = "guest"},
    Kind{.guest = "pf", .name = "#PF and IRET", .server = "guest"},
    Kind{.guest = "db", .name = "#DB and IRET", .server = "guest"},
    Kind{.guest = "touch-4k", .name = "first touch, 4 KiB", .server = "kernel"},
    Kind{.guest = "touch-2m", .name = "first touch, 2 MiB", .server = "kernel", .arm = huge_pages},
    Kind{.guest = "read-only",
         .name = "write to a read-only page",
         .server = "VMM",
         .rounds_a_return = 1,
         .detail = Detail::mmio,
         .value = ExitProbe::read_only_page.value,
         .capability = KVM_CAP_READONLY_MEM,
         .lacking = "KVM_CAP_READONLY_MEM"},
    Kind{.guest = "wbinvd", .name = "WBINVD", .server = "kernel"},
};
constexpr std::string_view baseline = "nothing";

/// Why this host cannot have it at all; "" where nothing is known against it.
std::string obstacle(const Kind& kind, const Kvm& kvm, const std::string& module) {
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

Arm arm_of(ArmNumber number, const std::string& guests_kinds, std::uint64_t microseconds) {
  constexpr std::array<std::string_view, arm_count> names{"one vCPU", "x2APIC", "xAPIC", "huge pages"};
  Arm arm = guest_arm(std::string(names[number]), "@prices",
                      fmt::format("us={} kinds={}", microseconds, guests_kinds));
  arm.options.exit_probe = number == one_cpu;
  arm.options.huge_pages = number == huge_pages;
  if (number == x2apic || number == xapic) arm.options.cpus = 2;
  if (number == xapic) arm.options.cpuid_mask.emplace_back("x2apic");
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

stats::KeyStats returns_of(const ArmRun& run, const Kind& kind) {
  const auto mark = run.guest.number(kind.guest, "mark");
  return mark ? run.exits_where(static_cast<std::uint8_t>(*mark), of_rounds) : stats::KeyStats{};
}

ExperimentCell seconds_of(const std::vector<ArmRun>& runs, const Kind& kind, std::string_view figure) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto cycles = run.guest.figure(kind.guest, figure);
    return cycles ? std::optional(run.seconds(*cycles)) : std::nullopt;
  });
}

/// Medians of p50 in seconds without that of the two RDTSC, which are an arm's own only in the first one.
ExperimentCell net_of(const std::vector<ArmRun>& runs, const Kind& kind, double clock_seconds) {
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
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (std::string why = obstacle(kinds[i], kvm, module); !why.empty())
        not_here_[i] = std::move(why);
      else
        wanted_[kinds[i].arm] += (wanted_[kinds[i].arm].empty() ? "" : ",") + std::string(kinds[i].guest);
    }
    run();
    clock_ = median_clock();
    table_.columns = columns();
    for (std::size_t i = 0; i < kinds.size(); ++i) add(i);
    answer();
    notes();
    result_.tables.push_back(std::move(table_));
  }

 private:
  void run() {
    constexpr unsigned repetitions = 5;
    const double each = 0.8 * context_.budget_seconds() / repetitions / static_cast<double>(kinds.size());
    const auto microseconds = static_cast<std::uint64_t>(std::max(500.0, each * 1e6));
    std::vector<Arm> arms;
    for (const ArmNumber number : {one_cpu, x2apic, xapic, huge_pages})
      arms.push_back(arm_of(number, wanted_[number], microseconds));
    runs_ = context_.interleave(arms, repetitions);
    for (const ArmNumber number : {one_cpu, x2apic, xapic}) {
      for (const ArmRun& run : runs_[number]) {
        if (run.failed()) result_.failures.push_back(run.failure);
      }
    }
  }

  [[nodiscard]] double median_clock() const {
    std::vector<double> seconds;
    for (const ArmRun& run : runs_[one_cpu]) {
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
    const Kind& kind = kinds[number];
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

  [[nodiscard]] std::vector<ExperimentCell> row(const Kind& kind, const std::vector<ArmRun>& runs,
                                                std::vector<ExperimentCell> cells) {
    double rounds = 0, returns = 0;
    for (const ArmRun& run : runs) {
      const std::uint64_t done = run.guest.number(kind.guest, "rounds").value_or(0);
      const std::uint64_t counted = returns_of(run, kind).count;
      rounds += static_cast<double>(done);
      returns += static_cast<double>(counted);
      if (kind.rounds_a_return == not_determined || run.failed()) continue;
      result_.expect(fmt::format("{} ({})", kind.name, kind.server),
                     kind.rounds_a_return == none ? 0 : done / kind.rounds_a_return, counted);
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

  void notes() {
    table_.notes = {
        "Times are the guest's own, from before to after; net is p50 without the two RDTSC. service is this "
        "program's part; returns are those of KVM_RUN in a round, HW exits KVM's own count.",
        "published: cycles of other hosts, for comparison of magnitudes only. [1] Dall et al., ARM "
        "Virtualization: Performance and Architectural Implications, ISCA 2016, table II, x86 KVM on a Xeon "
        "E5-2450 of 2.1 GHz: hypercall, access to the interrupt controller, kick of a device, IPI. For any "
        "exit, 2,000 cycles were published by Landau et al., SplitX, WIOV 2011, on a Xeon X5570."};
  }

  Context& context_;
  report::ExperimentResult& result_;
  std::array<std::string, kinds.size()> not_here_{};
  std::array<std::string, arm_count> wanted_{};
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
