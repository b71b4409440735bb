/// The arrays that the tracer's programs fill (exit_records.h), as this program reads them: while they are
/// being written, without a lock. Counts only grow, and a reader never sees a time before the exit it
/// belongs to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stats/exit_counts.hpp"
#include "stats/traced_exits.hpp"
#include "trace/exit_records.h"

namespace kvmbench::trace {

/// How much of the arrays is in use.
struct UsedRecords {
  std::uint32_t threads = 0;
  std::uint32_t records = 0;
  std::uint32_t details = 0;
};

/// One vCPU's thread.
struct TracedThread {
  pid_t process = 0;
  pid_t thread = 0;
  std::optional<std::uint32_t> vcpu;  ///< nothing before its first exit
  stats::TracedExits exits;
};

class TracedMemory final {
 public:
  TracedMemory(std::span<const trace_thread> threads, std::span<const trace_record> records,
               std::span<const trace_detail> details) noexcept
      : threads_(threads), records_(records), details_(details) {}

  /// All threads of `process`, or of every process; in the order in which they were first seen.
  [[nodiscard]] std::vector<TracedThread> snapshot(const UsedRecords& used,
                                                   std::optional<pid_t> process) const;

  /// For queries on the path of an exit: no allocation. nullptr where that vCPU has had no exit yet.
  [[nodiscard]] const trace_thread* find(const UsedRecords& used, pid_t process,
                                         std::uint32_t vcpu) const noexcept;
  /// The record of a thread's reason; nullptr where there is none.
  [[nodiscard]] const trace_record* find(const trace_thread& thread, std::uint32_t reason) const noexcept;
  /// Calls `visit(record)` for each record of the thread, in no order.
  template <typename Visit>
  void each_record(const trace_thread& thread, Visit visit) const;

 private:
  [[nodiscard]] const trace_record* record_at(std::uint16_t place) const noexcept;

  std::span<const trace_thread> threads_;
  std::span<const trace_record> records_;
  std::span<const trace_detail> details_;
};

/// What another thread, in the kernel, may be writing.
template <typename Number>
[[nodiscard]] Number read_shared(const Number& shared) noexcept {
  return __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
}

/// As a value, in nanoseconds.
[[nodiscard]] stats::TimeStats copy(const trace_times& times) noexcept;

template <typename Visit>
void TracedMemory::each_record(const trace_thread& thread, Visit visit) const {
  for (const trace_u16& place : thread.places) {
    if (const trace_record* record = record_at(read_shared(place))) visit(*record);
  }
  for (const trace_u16& place : thread.others) {
    if (const trace_record* record = record_at(read_shared(place))) visit(*record);
  }
}

}  // namespace kvmbench::trace
