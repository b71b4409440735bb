/// What came in an interval of a trace.
#pragma once

#include "report/text_table.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::report {

/// What came in an interval of that many seconds, by the hardware's reasons, or, where there were none, by
/// the returns of KVM_RUN: most exits first.
[[nodiscard]] TextTable growth_table(const stats::Snapshot& interval, double seconds);

}  // namespace kvmbench::report
