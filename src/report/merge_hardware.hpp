/// What tracers saw in several runs as one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "report/report.hpp"

namespace kvmbench::report {

/// Adds up the hardware's exits by vCPU and reason, what they were for, and what the tracers missed: exactly,
/// in whatever order.
class HardwareMerger final {
 public:
  /// Throws UsageError, naming the report, where a sum would pass 2^64, where there would be more reasons or
  /// details than a report may have, and where reasons do not mean the same: of two vendors, or, where one of
  /// the reports was traced, of two ways of paging.
  void add(const Report& report, const std::string& name);

  /// Of a vCPU; nothing where no report has any.
  [[nodiscard]] std::optional<stats::TracedExits> take(std::uint32_t vcpu);
  [[nodiscard]] std::optional<stats::TracerState> take_tracer();

 private:
  struct Vcpu {
    stats::TracedExits totals;  ///< without its lists
    std::map<std::uint32_t, stats::HardwareReasonStats> reasons;
    std::map<stats::HardwareDetail, stats::HardwareDetailStats> details;
    std::map<std::uint32_t, std::uint64_t> returns;
  };

  void require_same_reasons(const Report& report, const std::string& name);
  void require_room(const stats::TracedExits& traced, const std::string& name);
  void add_vcpu(const stats::TracedExits& traced, Vcpu& sum);
  void add_tracer(const stats::TracerState& tracer, const std::string& name);

  std::map<std::uint32_t, Vcpu> vcpus_;
  std::optional<stats::TracerState> tracer_;
  std::set<std::string> absent_events_;
  std::set<std::string> paging_;  ///< of all reports, traced or not: the order must not matter
  stats::Vendor vendor_ = stats::Vendor::unknown;
  /// Of the whole, as a reader of the sum bounds them: where these stay below 2^64, so do all that they are
  /// sums of.
  struct Totals {
    std::uint64_t counts = 0, returned = 0, times = 0, times_outside = 0, nanoseconds = 0, others = 0,
                  details = 0, detail_times = 0;
  } totals_;
};

}  // namespace kvmbench::report
