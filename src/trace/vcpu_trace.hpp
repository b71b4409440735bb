/// What the tracer has of one vCPU of this process, for queries on the path of an exit: no system call, no
/// allocation, no lock.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "stats/exit_counts.hpp"
#include "trace/exit_tracer.hpp"

namespace kvmbench::trace {

class VcpuTrace final {
 public:
  /// `tsc_khz` turns the tracer's nanoseconds into cycles.
  VcpuTrace(const ExitTracer& tracer, std::uint32_t vcpu, std::uint64_t tsc_khz) noexcept;

  /// Of one reason of the hardware: exits, that which the vCPU is in among them, and cycles out of the guest.
  [[nodiscard]] stats::Tally tally(std::uint32_t reason) const noexcept;
  [[nodiscard]] stats::Spread spread(std::uint32_t reason) const noexcept;
  /// Cycles out of the guest, for all reasons.
  [[nodiscard]] stats::Cycles cycles() const noexcept;
  /// As ExitCounts::list.
  [[nodiscard]] std::size_t list(std::span<stats::ReasonTally> to) const noexcept;

 private:
  [[nodiscard]] const trace_thread* thread() const noexcept;
  [[nodiscard]] stats::Cycles to_cycles(std::uint64_t nanoseconds) const noexcept;

  const ExitTracer& tracer_;
  const pid_t process_;
  const std::uint32_t vcpu_;
  const std::uint64_t tsc_khz_;
  mutable const trace_thread* thread_ = nullptr;  ///< once known, it stays
};

}  // namespace kvmbench::trace
