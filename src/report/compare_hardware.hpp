/// The part of a comparison that a tracer saw.
#pragma once

#include "report/compare.hpp"

namespace kvmbench::report {

/// Fills in what the comparison has of hardware reasons.
void add_hardware_rows(Comparison& comparison);

}  // namespace kvmbench::report
