/// The VMs of other processes, as they are traced: which there are, and what has come of each.
#pragma once

#include <string>
#include <vector>

#include "stats/snapshot.hpp"
#include "trace/exit_tracer.hpp"
#include "trace/vm_counters.hpp"
#include "trace/vm_finder.hpp"

namespace kvmbench::trace {

/// One process's VM, or VMs: the kernel's events do not tell two VMs of one process apart.
class TracedVm final {
 public:
  /// Begins to trace it. Throws TracingUnavailable.
  TracedVm(ExitTracer& tracer, VmProcess process);

  [[nodiscard]] const VmProcess& process() const noexcept { return process_; }
  [[nodiscard]] const std::string& counter_source() const noexcept { return counters_.source(); }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// "4711", "4711 debian".
  [[nodiscard]] std::string title() const;

  /// Looks whether it still runs, and whether it has vCPUs or counters that it had not.
  void look_again();
  /// What has come since it is traced. vCPUs have their own numbers, where no two have the same; returns of
  /// KVM_RUN are those that the tracer saw, and there are no keys. `tsc_khz` is 0: times are nanoseconds.
  [[nodiscard]] stats::Snapshot snapshot();

 private:
  void take_counters(stats::Snapshot& snapshot);

  ExitTracer& tracer_;
  VmProcess process_;
  VmCounters counters_;
  stats::Snapshot began_;  ///< the counters then
  bool ended_ = false;
};

}  // namespace kvmbench::trace
