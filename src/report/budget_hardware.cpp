#include "report/budget_hardware.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/budget_scanner.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

using stats::Vendor;

const stats::ReasonText* reason_named(Vendor vendor, std::string_view name) {
  const auto reasons = stats::hardware_reasons(vendor);
  const auto at = std::find_if(reasons.begin(), reasons.end(),
                               [=](const stats::ReasonText& reason) { return reason.short_name == name; });
  return at == reasons.end() ? nullptr : &*at;
}

std::uint32_t number_of(Vendor vendor, const std::string& name) {
  if (const auto as_number = number<std::uint32_t>(name)) return *as_number;
  const stats::ReasonText* reason = reason_named(vendor, name);
  if (reason != nullptr) return reason->reason;
  throw Untold(fmt::format("the hardware of this report is {}, which has no exit reason {}",
                           vendor == Vendor::svm ? "AMD's (SVM)" : "Intel's (VMX)", name));
}

std::uint64_t kernels_count(const HardwareQuantity& quantity, const Report& report) {
  std::optional<std::uint64_t> count = report.snapshot.kernel_exits();
  if (!quantity.vcpu && !count) count = stats::value_of(report.snapshot.counters, "exits");  // from debugfs
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    if (quantity.vcpu && vcpu.vcpu == *quantity.vcpu) count = vcpu.kernel_exits;
  }
  if (!count) throw Untold("this host's kernel keeps no count of hardware exits");
  return *count;
}

/// Of the vCPUs that are meant.
stats::TracedExits traced_exits(const HardwareQuantity& quantity, const Report& report) {
  const auto all = report.snapshot.traced();
  if (!all) throw Untold("hardware exits by reason are those of a tracer: run --trace, kvmbench trace");
  if (all->vendor == Vendor::unknown)
    throw Untold("no hardware exits were announced to the tracer, so that none can be told by reason");
  stats::TracedExits traced = *all;
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    if (quantity.vcpu && vcpu.vcpu == *quantity.vcpu) traced = vcpu.traced.value_or(stats::TracedExits{});
  }
  traced.vendor = all->vendor;
  return traced;
}

long double rate(std::uint64_t count, const Report& report) {
  if (report.wall_seconds == 0) throw Untold("the report has no length that a rate could be of");
  return static_cast<long double>(count) / static_cast<long double>(report.wall_seconds);
}

}  // namespace

bool is_hardware_reason(std::string_view name) {
  return reason_named(Vendor::vmx, name) != nullptr || reason_named(Vendor::svm, name) != nullptr;
}

bool of_another_program(const Report& report) {
  const auto traced = report.snapshot.traced();
  return traced && report.snapshot.exits() == 0 && traced->return_count() > 0;
}

Measured measure(const HardwareQuantity& quantity, const Report& report) {
  using Figure = HardwareFigure;
  const bool kernels = quantity.figure == Figure::count || quantity.figure == Figure::rate;
  if (!quantity.reason && kernels) {
    const std::uint64_t count = kernels_count(quantity, report);
    return {quantity.figure == Figure::rate ? rate(count, report) : static_cast<long double>(count), ""};
  }
  const stats::TracedExits traced = traced_exits(quantity, report);
  std::optional<std::uint32_t> wanted;
  if (quantity.reason) wanted = number_of(traced.vendor, *quantity.reason);
  stats::HardwareReasonStats sums, all;
  for (const stats::HardwareReasonStats& reason : traced.reasons) {
    all += reason;
    if (!wanted || *wanted == reason.reason || *wanted == stats::basic_reason(traced.vendor, reason.reason))
      sums += reason;
  }
  Measured measured;
  if (sums.count == 0) measured.remark = "no such exits";
  if (traced.without_reason != 0)
    measured.remark = grouped(traced.without_reason) + " further exits are counted under no reason";
  switch (quantity.figure) {
    case Figure::count:
      measured.value = static_cast<long double>(sums.count);
      break;
    case Figure::rate:
      measured.value = rate(sums.count, report);
      break;
    case Figure::share:
      if (all.count != 0)
        measured.value = 100 * static_cast<long double>(sums.count) / static_cast<long double>(all.count);
      break;
    case Figure::returned:
      measured.value = static_cast<long double>(sums.returned);
      break;
    case Figure::out_of_guest:
      measured.value = statistic_of(sums.out_of_guest, quantity.statistic, quantity.quantile);
      break;
    case Figure::outside:
      measured.value = statistic_of(sums.outside, quantity.statistic, quantity.quantile);
      break;
  }
  return measured;
}

long double statistic_of(const stats::TimeStats& times, Statistic statistic, double quantile) {
  switch (statistic) {
    case Statistic::sum:
      return static_cast<long double>(times.sum);
    case Statistic::min:
      return static_cast<long double>(times.min);
    case Statistic::mean:
      return static_cast<long double>(times.mean());
    case Statistic::max:
      return static_cast<long double>(times.max);
    case Statistic::quantile:
      break;
  }
  return static_cast<long double>(times.quantile(quantile));
}

std::vector<std::pair<std::string, std::uint64_t>> hardware_counts(const Report& report) {
  const stats::TracedExits traced = report.snapshot.traced().value_or(stats::TracedExits{});
  std::map<std::uint32_t, std::uint64_t> counts;
  for (const stats::HardwareReasonStats& reason : traced.reasons)
    counts[stats::basic_reason(traced.vendor, reason.reason)] += reason.count;
  std::vector<std::pair<std::string, std::uint64_t>> named;
  for (const auto& [number, count] : counts) {
    const stats::ReasonText* reason = stats::hardware_reason(traced.vendor, number);
    if (reason == nullptr) continue;
    const bool of_the_host = reason->short_name == "EXTERNAL_INTERRUPT" || reason->short_name == "INTR";
    if (!of_the_host) named.emplace_back(reason->short_name, count);
  }
  return named;
}

}  // namespace kvmbench::report
