/// The sections "kernel" and "hardware" of a saved report: what KVM counted, and what the tracer saw.
#pragma once

#include "report/json_node.hpp"
#include "report/json_sections.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

/// Of one value: the sums of all vCPUs then stay below 2^64.
inline constexpr std::uint64_t most_of_a_counter = std::uint64_t{1} << 56;

[[nodiscard]] WrittenJson write_kernel(const Report& report);
void read_kernel(const Node& node, Report& report);

[[nodiscard]] WrittenJson write_hardware(const Report& report);
void read_hardware(const Node& node, Report& report);

// Of an interval, in its line: sums over the vCPUs, of what has grown.

[[nodiscard]] WrittenJson interval_counters(const stats::Snapshot& interval);
/// null where nothing was traced.
[[nodiscard]] WrittenJson interval_hardware(const stats::Snapshot& interval);

/// The report's vCPU of the number that `node` has as "vcpu"; refused where there is none.
[[nodiscard]] stats::VcpuSnapshot& vcpu_of(const Node& node, Report& report);

}  // namespace kvmbench::report
