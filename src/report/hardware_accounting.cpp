#include "report/hardware_accounting.hpp"

namespace kvmbench::report {

std::optional<std::int64_t> HardwareAccounting::unexplained() const {
  if (!counted) return std::nullopt;
  return static_cast<std::int64_t>(*counted - traced);
}

std::optional<HardwareAccounting> hardware_accounting(const stats::Snapshot& snapshot) {
  const std::optional<stats::TracedExits> traced = snapshot.traced();
  if (!traced) return std::nullopt;
  HardwareAccounting accounting;
  accounting.counted = snapshot.kernel_exits();
  if (!accounting.counted) accounting.counted = stats::value_of(snapshot.counters, "exits");  // from debugfs
  accounting.traced = traced->without_reason;
  for (const stats::HardwareReasonStats& reason : traced->reasons) {
    accounting.traced += reason.count;
    accounting.to_userspace += reason.returned;
  }
  accounting.returns = snapshot.exits() != 0 ? snapshot.exits() : traced->return_count();
  return accounting;
}

}  // namespace kvmbench::report
