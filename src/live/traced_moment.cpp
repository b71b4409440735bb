#include "live/traced_moment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/hardware_accounting.hpp"
#include "report/hardware_detail.hpp"
#include "report/printable.hpp"
#include "report/units.hpp"
#include "stats/detail_kinds.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::live {
namespace {

constexpr double nanosecond = 1e-9;

/// What a reason's row is known by: the hardware's number, or KVM_EXIT_* with this beside it.
constexpr std::uint64_t of_return = std::uint64_t{1} << 32;

bool is_of_return(std::uint64_t id) {
  return (id & of_return) != 0;
}

std::uint32_t number_of(std::uint64_t id) {
  return static_cast<std::uint32_t>(id);
}

/// Sums of all that share a row.
struct Sums {
  std::uint64_t id = 0;
  std::uint64_t total = 0, recent = 0;
  std::uint64_t recent_time = 0;
  stats::TimeStats recent_times;  ///< of the hardware's reasons
};
using SumsByName = std::map<std::string, Sums>;

std::string name_of(const stats::HardwareDetail& detail) {
  const std::string direction = report::direction_in_words(detail);
  const std::string width = detail.width == 0 ? "" : fmt::to_string(detail.width);
  return report::place_of(detail) + (direction.empty() ? "" : ' ' + direction + width);
}

/// Adds what one vCPU's exits tell to the rows; `recent`: of late, else since the beginning.
class Adder final {
 public:
  Adder(SumsByName& rows, stats::Vendor vendor, bool hardware, Grouping grouping,
        std::optional<std::uint64_t> only_reason)
      : rows_(rows), vendor_(vendor), hardware_(hardware), grouping_(grouping), only_reason_(only_reason) {}

  void add(const stats::TracedExits& exits, const std::string& vcpu, bool recent) {
    if (grouping_ == Grouping::key) {
      for (const stats::HardwareDetailStats& detail : exits.details) add(detail, recent);
      return;
    }
    for (const stats::HardwareReasonStats& reason : exits.reasons) {
      if (only_reason_ && *only_reason_ != reason.reason) continue;
      const std::string name =
          grouping_ == Grouping::vcpu ? vcpu : stats::hardware_reason_name(vendor_, reason.reason);
      Sums& sums = row(name, reason.reason, reason.count, recent);
      if (!recent) continue;
      sums.recent_time += reason.out_of_guest.sum;
      sums.recent_times += reason.out_of_guest;
    }
    if (hardware_) return;
    for (const stats::ReturnCount& each : exits.returns) {
      const std::uint64_t id = of_return | each.reason;
      if (only_reason_ && *only_reason_ != id) continue;
      const std::string name = "returned: " + stats::userspace_reason_name(each.reason);
      row(grouping_ == Grouping::vcpu ? vcpu : name, id, each.count, recent);
    }
  }

 private:
  void add(const stats::HardwareDetailStats& detail, bool recent) {
    if (only_reason_) {
      const std::uint32_t number = number_of(*only_reason_);
      const auto kinds = is_of_return(*only_reason_) ? stats::detail_kinds_of_return(number)
                                                     : stats::detail_kinds(vendor_, number);
      if (std::find(kinds.begin(), kinds.end(), detail.detail.kind) == kinds.end()) return;
    }
    Sums& sums = row(name_of(detail.detail), 0, detail.count, recent);
    if (recent) sums.recent_time += detail.nanoseconds;
  }

  Sums& row(const std::string& name, std::uint64_t id, std::uint64_t count, bool recent) {
    Sums& sums = rows_[name];
    sums.id = id;
    (recent ? sums.recent : sums.total) += count;
    return sums;
  }

  SumsByName& rows_;
  const stats::Vendor vendor_;
  const bool hardware_;
  const Grouping grouping_;
  const std::optional<std::uint64_t> only_reason_;
};

}  // namespace

TracedMoment::TracedMoment(std::vector<TracedSample> vms, Times times, std::string remark)
    : vms_(std::move(vms)), times_(times), remark_(std::move(remark)) {
  std::uint64_t counted = 0, recently_counted = 0, returned = 0, recently_returned = 0;
  for (const TracedSample& vm : vms_) {
    const auto total = report::hardware_accounting(vm.total), recent = report::hardware_accounting(vm.recent);
    if (!total || !recent) continue;
    total_exits_ += total->traced;
    recent_exits_ += recent->traced;
    counted += total->counted.value_or(0);
    recently_counted += recent->counted.value_or(0);
    returned += total->returns;
    recently_returned += recent->returns;
    const stats::TracedExits traced = vm.total.traced().value_or(stats::TracedExits{});
    if (vendor_ == stats::Vendor::unknown) vendor_ = traced.vendor;
    for (const stats::VcpuSnapshot& vcpu : vm.recent.vcpus) {
      if (!vcpu.traced) continue;
      for (const stats::HardwareReasonStats& reason : vcpu.traced->reasons)
        recent_time_ += reason.out_of_guest.sum;
    }
  }
  hardware_ = total_exits_ != 0;
  if (hardware_) return;
  counted_ = counted != 0;
  total_exits_ = counted_ ? counted : returned;
  recent_exits_ = counted_ ? recently_counted : recently_returned;
}

Grouping TracedMoment::grouping_of(Grouping grouping, std::optional<std::uint64_t> only_reason) const {
  if (!only_reason) return grouping;
  const auto kinds = is_of_return(*only_reason) ? stats::detail_kinds_of_return(number_of(*only_reason))
                                                : stats::detail_kinds(vendor_, number_of(*only_reason));
  return kinds.empty() ? Grouping::vcpu : Grouping::key;
}

std::vector<Row> TracedMoment::rows(Grouping grouping, std::optional<std::uint64_t> only_reason) const {
  SumsByName sums_by_name;
  Adder adder(sums_by_name, vendor_, hardware_, grouping_of(grouping, only_reason), only_reason);
  for (const TracedSample& vm : vms_) {
    for (const bool recent : {false, true}) {
      for (const stats::VcpuSnapshot& vcpu : (recent ? vm.recent : vm.total).vcpus) {
        const std::string name = fmt::format("{}vcpu {}", vms_.size() > 1 ? vm.process + ' ' : "", vcpu.vcpu);
        if (vcpu.traced) adder.add(*vcpu.traced, name, recent);
      }
    }
  }
  std::vector<Row> rows;
  for (const auto& [name, sums] : sums_by_name) {
    Row& row = rows.emplace_back();
    row.name = name;
    row.id = sums.id;
    row.total = sums.total;
    if (times_.recent_seconds > 0) row.rate = static_cast<double>(sums.recent) / times_.recent_seconds;
    if (recent_time_ != 0)
      row.time_share = static_cast<double>(sums.recent_time) / static_cast<double>(recent_time_);
    row.p99_seconds = static_cast<double>(sums.recent_times.quantile(0.99)) * nanosecond;
  }
  return rows;
}

std::string TracedMoment::title(Grouping grouping, std::optional<std::uint64_t> only_reason) const {
  const Grouping shown = grouping_of(grouping, only_reason);
  const std::string by = shown == Grouping::reason ? "reason" : shown == Grouping::key ? "detail" : "vCPU";
  if (!only_reason) return by;
  const std::uint32_t number = number_of(*only_reason);
  return fmt::format("{} by {}",
                     is_of_return(*only_reason) ? stats::userspace_reason_name(number)
                                                : stats::hardware_reason_name(vendor_, number),
                     by);
}

std::string TracedMoment::headline() const {
  const std::string title =
      vms_.size() == 1 ? report::printable(vms_.front().title) : fmt::format("{} VMs", vms_.size());
  const double rate =
      times_.recent_seconds > 0 ? static_cast<double>(recent_exits_) / times_.recent_seconds : 0;
  const char* what = hardware_ ? "hardware exits" : counted_ ? "exits by KVM's count" : "returns of KVM_RUN";
  return fmt::format("{}  {}  {} {}, {}/s", title, report::duration(times_.run_seconds),
                     report::grouped(total_exits_), what, rate_in_words(rate));
}

std::string TracedMoment::remark() const {
  if (!remark_.empty() || hardware_ || total_exits_ == 0) return remark_;
  return "no hardware exits are announced here: returns of KVM_RUN, and what other events tell (2)";
}

}  // namespace kvmbench::live
