/// The VMs that `kvmbench trace` watches, those that start and end meanwhile among them.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "cli/trace.hpp"
#include "report/report.hpp"
#include "trace/traced_vms.hpp"

namespace kvmbench::cli {

class TracedHost final {
 public:
  struct Vm {
    trace::TracedVm traced;
    stats::Snapshot sampled;  ///< what it had when it was last looked at
  };
  /// What has come to a VM: "the VM of process 4711 debian has ended".
  using Notice = std::function<void(const std::string&)>;

  /// Begins to trace those that the options mean. Throws UsageError, TracingUnavailable.
  TracedHost(const TraceOptions& options, Notice notice);

  /// Looks which have ended and, where the options want all, which have started.
  void look_again();
  /// Nothing is left to be traced, and nothing will come.
  [[nodiscard]] bool all_ended() const;

  [[nodiscard]] std::deque<Vm>& vms() noexcept { return vms_; }
  [[nodiscard]] std::chrono::steady_clock::time_point began() const noexcept { return began_; }
  /// Since it began.
  [[nodiscard]] double seconds() const;

  /// One a VM, in the order in which they were found; `wall_seconds` is how long all were traced.
  [[nodiscard]] std::vector<report::Report> reports(double wall_seconds);

 private:
  void add(trace::VmProcess process);
  [[nodiscard]] report::Report report_of(trace::TracedVm& vm, double wall_seconds) const;

  const TraceOptions& options_;
  const Notice notice_;
  const std::vector<trace::VmProcess> chosen_;
  trace::ExitTracer tracer_;
  const std::chrono::steady_clock::time_point began_;
  const std::string started_;
  std::deque<Vm> vms_;
};

}  // namespace kvmbench::cli
