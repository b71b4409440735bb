/// Which VMs of this host the options of `kvmbench trace` mean.
#pragma once

#include <vector>

#include "cli/trace.hpp"
#include "trace/vm_finder.hpp"

namespace kvmbench::cli {

/// On stdout, for --list.
void print_vms(const trace::VmProcesses& found);

/// Throws UsageError, which lists those there are, where the options mean none, or more than one without
/// saying so.
[[nodiscard]] std::vector<trace::VmProcess> chosen_vms(const TraceOptions& options);

}  // namespace kvmbench::cli
