/// The tables of the kernel's own counters.
#pragma once

#include <vector>

#include "report/plain_table.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::report {

/// None where the kernel counts nothing.
[[nodiscard]] std::vector<PlainTable> counter_tables(const stats::Snapshot& snapshot);

}  // namespace kvmbench::report
