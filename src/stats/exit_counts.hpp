/// One vCPU's counts as the guest interface answers them: sums by reason, over all phases since the run
/// began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "stats/exit_key.hpp"

namespace kvmbench::stats {

/// How often, and how many cycles in all.
struct Tally {
  std::uint64_t count = 0;
  Cycles cycles = 0;

  friend bool operator==(const Tally&, const Tally&) = default;
};

/// How the cycles of single exits are spread; all 0 where there was none.
struct Spread {
  Cycles min = 0;
  Cycles median = 0;
  Cycles p99 = 0;
  Cycles max = 0;

  friend bool operator==(const Spread&, const Spread&) = default;
};

/// `reason` as a query names it: a hardware reason, or KVMBENCH_USERSPACE_REASON + n.
struct ReasonTally {
  std::uint32_t reason = 0;
  Tally tally;

  friend bool operator==(const ReasonTally&, const ReasonTally&) = default;
};

/// Asked on the exit path, by the vCPU's own thread while the vCPU is out of its guest: no lock, no
/// allocation.
///
/// `userspace` arguments are n below KVMBENCH_USERSPACE_REASONS (KVM_EXIT_n), or KVMBENCH_USERSPACE_FURTHER;
/// their cycles are service time. Hardware's are out-of-guest time; only asked for where something counts
/// them.
class ExitCounts {
 public:
  virtual ~ExitCounts() = default;

  /// KVM's own `exits` counter, or the userspace exits where it has none; cycles as of hardware reasons where
  /// these are counted, else service time.
  [[nodiscard]] virtual Tally all() const noexcept = 0;

  [[nodiscard]] virtual Tally userspace(std::uint32_t n) const noexcept = 0;
  [[nodiscard]] virtual Spread userspace_spread(std::uint32_t n) const noexcept = 0;
  [[nodiscard]] virtual Tally hardware(std::uint32_t reason) const noexcept = 0;
  [[nodiscard]] virtual Spread hardware_spread(std::uint32_t reason) const noexcept = 0;

  /// The reasons that have a count, userspace reasons first, each kind in ascending order, as far as there is
  /// room; returns how many there are in all.
  [[nodiscard]] virtual std::size_t list(std::span<ReasonTally> to) const noexcept = 0;
};

}  // namespace kvmbench::stats
