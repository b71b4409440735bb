/// Exits of a stretch of a guest's work, as it took them from its exit-count page (guests/lib/exit_window.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/context.hpp"

namespace kvmbench::experiments {

/// How much of something a run has done: interrupts, seconds. Nothing or 0 where it has not.
using Amount = std::function<std::optional<double>(const ArmRun&)>;

/// A number of the guest's results.
[[nodiscard]] Amount amount_of(std::string arm, std::string number);

/// All exits of the stretch, by the kernel's own count, per amount; empty where the kernel keeps none.
[[nodiscard]] report::ExperimentCell exits_per(const std::vector<ArmRun>& runs, std::string_view arm,
                                               const Amount& amount);

/// By reason, the most frequent first: "HLT 1.00, MSR 2.00". Where the hardware's reasons were not counted,
/// by those counters of KVM's that tell of exits and interrupts: of the whole run, less those of `without`, a
/// run of the same machine that did none of the work.
[[nodiscard]] std::string reasons_per(const std::vector<ArmRun>& runs, std::string_view arm,
                                      const Amount& amount, const ArmRun& without);

/// The same of all that some runs have done, per run.
[[nodiscard]] std::string reasons_of_whole_runs(const std::vector<ArmRun>& runs);

/// Whether the guest could read counts by the hardware's reasons, of any of its arms.
[[nodiscard]] bool has_hardware_reasons(const std::vector<ArmRun>& runs);

/// Whose reasons these are, for a table's notes.
[[nodiscard]] std::string where_reasons_are_from(const std::vector<std::vector<ArmRun>>& arms);

}  // namespace kvmbench::experiments
