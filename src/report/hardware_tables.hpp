/// The tables of what a tracer saw.
#pragma once

#include <vector>

#include "report/plain_table.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

/// None where no tracer was at work.
[[nodiscard]] std::vector<PlainTable> hardware_tables(const Report& report);

}  // namespace kvmbench::report
