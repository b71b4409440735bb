#include "experiments/exit_reasons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "report/units.hpp"
#include "stats/hardware_reasons.hpp"

namespace kvmbench::experiments {
namespace {

/// Rarer than this per amount is the host's own doing.
constexpr double rarest_shown = 0.005;

using Counts = std::map<std::string, double>;

std::optional<std::uint32_t> hardware_number(std::string_view name) {
  constexpr std::string_view prefix = "hw";
  if (!name.starts_with(prefix)) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

stats::Vendor vendor_of(const ArmRun& run) {
  const auto traced = run.report.snapshot.traced();
  return traced ? traced->vendor : stats::Vendor::unknown;
}

/// By the hardware's reasons, as the guest has read them; empty where nobody counted these.
Counts hardware_counts(const ArmRun& run, std::string_view arm) {
  Counts counts;
  const report::GuestFigures* const figures = run.guest.find(arm);
  if (figures == nullptr) return counts;
  for (const auto& [name, value] : figures->numbers) {
    const auto number = hardware_number(name);
    if (number) counts[hardware_reason_name(vendor_of(run), *number)] += static_cast<double>(value);
  }
  return counts;
}

bool tells_of_exits(const stats::KernelCounter& counter) {
  static constexpr std::array<std::string_view, 5> others = {"irq_injections", "nmi_injections", "invlpg",
                                                             "tlb_flush", "insn_emulation"};
  const bool sums_up = counter.type == stats::KernelCounter::Type::cumulative &&
                       counter.unit == stats::KernelCounter::Unit::none;
  return sums_up && (counter.name.ends_with("_exits") || counter.name.starts_with("pf_") ||
                     std::find(others.begin(), others.end(), counter.name) != others.end());
}

Counts kernel_counts(const ArmRun& run, const ArmRun& without) {
  Counts counts;
  for (const stats::KernelCounter& counter : run.report.snapshot.vcpu_counters())
    if (tells_of_exits(counter)) counts[counter.name] += static_cast<double>(counter.total());
  for (const stats::KernelCounter& counter : without.report.snapshot.vcpu_counters())
    if (tells_of_exits(counter)) counts[counter.name] -= static_cast<double>(counter.total());
  return counts;
}

Counts traced_counts(const stats::TracedExits& traced) {
  Counts counts;
  for (const stats::HardwareReasonStats& reason : traced.reasons)
    counts[hardware_reason_name(traced.vendor, reason.reason)] += static_cast<double>(reason.count);
  return counts;
}

std::string shown(const Counts& counts, double amount) {
  std::vector<std::pair<std::string, double>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& one, const auto& other) { return one.second > other.second; });
  std::string text;
  for (const auto& [name, count] : sorted) {
    if (count / amount < rarest_shown) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, report::ratio(count / amount));
  }
  return text.empty() ? "none" : text;
}

}  // namespace

Amount amount_of(std::string arm, std::string number) {
  return [arm = std::move(arm), number = std::move(number)](const ArmRun& run) {
    return run.guest.figure(arm, number);
  };
}

report::ExperimentCell exits_per(const std::vector<ArmRun>& runs, std::string_view arm,
                                 const Amount& amount) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto exits = run.guest.figure(arm, "exits"), done = amount(run);
    return exits && done && *done > 0 ? std::optional(*exits / *done) : std::nullopt;
  });
}

std::string reasons_per(const std::vector<ArmRun>& runs, std::string_view arm, const Amount& amount,
                        const ArmRun& without) {
  const bool hardware = has_hardware_reasons(runs);
  Counts sums;
  double done = 0;
  for (const ArmRun& run : runs) {
    const auto of_run = run.failed() ? std::nullopt : amount(run);
    if (!of_run) continue;
    done += *of_run;
    for (const auto& [name, count] : hardware ? hardware_counts(run, arm) : kernel_counts(run, without))
      sums[name] += count;
  }
  const bool known = hardware || (!without.failed() && !sums.empty());
  return known && done > 0 ? shown(sums, done) : "not counted by this kernel";
}

std::string reasons_of_whole_runs(const std::vector<ArmRun>& runs) {
  Counts sums;
  double done = 0;
  for (const ArmRun& run : runs) {
    if (run.failed()) continue;
    ++done;
    const auto traced = run.report.snapshot.traced();
    const bool hardware = traced && !traced->reasons.empty();
    for (const auto& [name, count] : hardware ? traced_counts(*traced) : kernel_counts(run, {}))
      sums[name] += count;
  }
  return done > 0 && !sums.empty() ? shown(sums, done) : "not counted by this kernel";
}

bool has_hardware_reasons(const std::vector<ArmRun>& runs) {
  return std::any_of(runs.begin(), runs.end(), [](const ArmRun& run) {
    return !run.failed() &&
           std::any_of(run.guest.results.begin(), run.guest.results.end(),
                       [&](const auto& line) { return !hardware_counts(run, line.arm).empty(); });
  });
}

std::string where_reasons_are_from(const std::vector<std::vector<ArmRun>>& arms) {
  if (std::any_of(arms.begin(), arms.end(), has_hardware_reasons))
    return "Reasons are the hardware's, by the kernel's trace events.";
  return "Reasons are KVM's own counters, of the whole run less those of a run without the work: the "
         "hardware's were not traced (--trace), or this KVM has no event for them.";
}

}  // namespace kvmbench::experiments
