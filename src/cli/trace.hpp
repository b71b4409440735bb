/// kvmbench trace: counts and times the hardware's exits of VMs that other programs run.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/budget.hpp"
#include "report/formats.hpp"

namespace kvmbench::cli {

struct TraceOptions {
  std::optional<pid_t> process;
  std::optional<std::string> name;
  bool list = false;  ///< tell which VMs there are, and do nothing else
  bool all = false;

  double duration = 0;                         ///< seconds; 0: until a signal, or until the VMs have ended
  double interval = 0;                         ///< seconds; 0: no samples on the way, of `live` one a second
  bool live = false;                           ///< samples as a table on the terminal
  std::vector<const report::Format*> formats;  ///< empty: none
  std::vector<std::string> report_files;       ///< the n-th format's
  BudgetOptions budget;                        ///< of each VM
};

/// The exit status. Throws UsageError, HostError.
[[nodiscard]] int trace(const TraceOptions& options);

}  // namespace kvmbench::cli
