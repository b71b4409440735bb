/// The report as OpenMetrics 1.0 text, which Prometheus scrapes.
#pragma once

#include <string>

#include "report/report.hpp"

namespace kvmbench::report {

/// Counters and histograms; docs/fleet.md lists them. The labels are the vCPU, the reason and the device, so
/// that their number is bounded by the machine and not by what its guest does.
///
/// Histograms have the same bounds on every host, powers of the square root of 2 from 2^-24 s (60 ns) to 2^3
/// s, so that those of several hosts can be summed. A report's own buckets are finer, and of cycles: each is
/// counted where its middle lies, which is off by at most 1/32.
[[nodiscard]] std::string to_openmetrics(const Report& report);

}  // namespace kvmbench::report
