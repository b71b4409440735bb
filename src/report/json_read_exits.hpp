/// The account in a saved report.
#pragma once

#include "report/json_node.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

void read_phases(const Node& node, Report& report);
/// After the phases, which its keys are in.
void read_vcpus(const Node& node, Report& report);

}  // namespace kvmbench::report
