/// What each arm of an experiment took by the three clocks there are: the guest's, this program's and the
/// kernel's.
#pragma once

#include <vector>

#include "report/experiment.hpp"

namespace kvmbench::experiments {

/// A row an arm, in the order in which they first ran: medians over the runs that have not failed, or why all
/// have.
[[nodiscard]] report::ExperimentTable clocks_of(const std::vector<report::ExperimentSample>& samples);

}  // namespace kvmbench::experiments
