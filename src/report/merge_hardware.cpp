#include "report/merge_hardware.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "report/compare.hpp"
#include "report/merge_times.hpp"

namespace kvmbench::report {
namespace {

constexpr std::size_t most = std::size_t{1} << 17;  // reasons or details of a vCPU, as a report may have

const char* name_of(stats::Vendor vendor) {
  return vendor == stats::Vendor::svm ? "SVM" : "VMX";
}

}  // namespace

void HardwareMerger::add(const Report& report, const std::string& name) {
  require_same_reasons(report, name);
  if (report.snapshot.tracer) add_tracer(*report.snapshot.tracer, name);
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    if (!vcpu.traced) continue;
    require_room(*vcpu.traced, name);
    Vcpu& sum = vcpus_[vcpu.vcpu];
    add_vcpu(*vcpu.traced, sum);
    if (sum.reasons.size() > most || sum.details.size() > most || sum.returns.size() > most)
      throw UsageError(
          fmt::format("{}: with it there are more hardware reasons or details than a report may have", name));
  }
}

void HardwareMerger::require_same_reasons(const Report& report, const std::string& name) {
  paging_.insert(paging_of(report));
  bool traced = !vcpus_.empty();
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    if (!vcpu.traced) continue;
    traced = true;
    const stats::Vendor vendor = vcpu.traced->vendor;
    if (vendor == stats::Vendor::unknown) continue;
    if (vendor_ != stats::Vendor::unknown && vendor_ != vendor) {
      throw UsageError(
          fmt::format("{}: its hardware exits are those of {}, those of others of {}: they do not add up",
                      name, name_of(vendor), name_of(vendor_)));
    }
    vendor_ = vendor;
  }
  if (traced && paging_.size() > 1) {
    throw UsageError(
        fmt::format("{}: with it there are hardware exits under several ways of paging ({}), "
                    "which do not add up; kvmbench compare holds them side by side",
                    name, fmt::join(paging_, ", ")));
  }
}

void HardwareMerger::require_room(const stats::TracedExits& traced, const std::string& name) {
  const auto add_to = [&name](std::uint64_t& sum, std::uint64_t more) {
    if (__builtin_add_overflow(sum, more, &sum))
      throw UsageError(fmt::format("{}: with it a sum of the hardware's exits passes 2^64", name));
  };
  for (const std::uint64_t other :
       {traced.exits, traced.entries, traced.emulated, traced.without_reason, traced.without_detail})
    add_to(totals_.others, other);
  add_to(totals_.counts, traced.without_reason);
  for (const stats::HardwareReasonStats& reason : traced.reasons) {
    add_to(totals_.counts, reason.count);
    add_to(totals_.returned, reason.returned);
    add_to(totals_.times, reason.out_of_guest.count());
    add_to(totals_.times_outside, reason.outside.count());
    add_to(totals_.nanoseconds, reason.out_of_guest.sum);
    add_to(totals_.nanoseconds, reason.outside.sum);
  }
  for (const stats::HardwareDetailStats& detail : traced.details) {
    add_to(totals_.details, detail.count);
    add_to(totals_.details, detail.timed);
    add_to(totals_.detail_times, detail.nanoseconds);
  }
  for (const stats::ReturnCount& each : traced.returns) add_to(totals_.others, each.count);
}

void HardwareMerger::add_vcpu(const stats::TracedExits& traced, Vcpu& sum) {
  if (sum.totals.vendor == stats::Vendor::unknown) sum.totals.vendor = traced.vendor;
  sum.totals.exits += traced.exits;
  sum.totals.entries += traced.entries;
  sum.totals.emulated += traced.emulated;
  sum.totals.without_reason += traced.without_reason;
  sum.totals.without_detail += traced.without_detail;
  for (const stats::HardwareReasonStats& reason : traced.reasons) {
    stats::HardwareReasonStats& to = sum.reasons[reason.reason];
    to.reason = reason.reason;
    to.count += reason.count;
    to.returned += reason.returned;
    add_saved(to.out_of_guest, reason.out_of_guest);
    add_saved(to.outside, reason.outside);
  }
  for (const stats::HardwareDetailStats& detail : traced.details) {
    stats::HardwareDetailStats& to = sum.details[detail.detail];
    to.detail = detail.detail;
    to.count += detail.count;
    to.timed += detail.timed;
    to.nanoseconds += detail.nanoseconds;
  }
  for (const stats::ReturnCount& each : traced.returns) sum.returns[each.reason] += each.count;
}

void HardwareMerger::add_tracer(const stats::TracerState& tracer, const std::string& name) {
  if (!tracer_) tracer_.emplace();
  if (__builtin_add_overflow(tracer_->events_without_thread, tracer.events_without_thread,
                             &tracer_->events_without_thread) ||
      __builtin_add_overflow(tracer_->missed_events, tracer.missed_events, &tracer_->missed_events))
    throw UsageError(fmt::format("{}: with it the events that tracers missed pass 2^64", name));
  absent_events_.insert(tracer.absent_events.begin(), tracer.absent_events.end());
}

std::optional<stats::TracedExits> HardwareMerger::take(std::uint32_t vcpu) {
  const auto at = vcpus_.find(vcpu);
  if (at == vcpus_.end()) return std::nullopt;
  Vcpu& sum = at->second;
  stats::TracedExits traced = std::move(sum.totals);
  for (auto& [number, reason] : sum.reasons) traced.reasons.push_back(std::move(reason));
  for (const auto& [identity, detail] : sum.details) traced.details.push_back(detail);
  for (const auto& [number, count] : sum.returns) traced.returns.push_back({number, count});
  return traced;
}

std::optional<stats::TracerState> HardwareMerger::take_tracer() {
  if (tracer_) tracer_->absent_events.assign(absent_events_.begin(), absent_events_.end());
  return std::move(tracer_);
}

}  // namespace kvmbench::report
