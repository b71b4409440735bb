/// What the guest @load tells, of all its vCPUs.
#pragma once

#include <cstdint>
#include <optional>

#include "experiments/context.hpp"

namespace kvmbench::experiments {

/// Rounds of all vCPUs together.
[[nodiscard]] std::uint64_t load_rounds(const ArmRun& run);
/// Rounds a second: the sum over the vCPUs, each by its own time. Nothing where there are none.
[[nodiscard]] std::optional<double> load_rate(const ArmRun& run);
/// The greatest of the vCPUs' p99 of a round, in seconds.
[[nodiscard]] std::optional<double> load_p99(const ArmRun& run);
/// Returns of KVM_RUN in the work: all but the marks and what stops or starts a vCPU.
[[nodiscard]] stats::KeyStats load_returns(const ArmRun& run);

}  // namespace kvmbench::experiments
