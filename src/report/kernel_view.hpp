/// What the kernel counted, and what the tracer saw of the hardware's exits: the tables that every format
/// shows.
#pragma once

#include <vector>

#include "report/plain_table.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

/// In the order in which they are shown; none where the kernel counts nothing and nothing was traced.
[[nodiscard]] std::vector<PlainTable> kernel_tables(const Report& report);

}  // namespace kvmbench::report
