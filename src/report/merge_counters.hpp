/// The kernel's counters of several runs as one.
#pragma once

#include <cstdint>
#include <map>

#include "stats/kernel_counter.hpp"

namespace kvmbench::report {

/// Cumulative and instant values and histograms add up, of peaks the highest stays; whatever the order.
/// Counters of one name that differ in type, unit or shape, as another kernel's may, are counters of their
/// own.
class CounterSums final {
 public:
  /// False where a sum passes what a report may have (most_of_a_counter).
  [[nodiscard]] bool add(const stats::KernelCounters& counters);
  /// By name.
  [[nodiscard]] stats::KernelCounters take();

 private:
  std::map<stats::CounterIdentity, stats::KernelCounter> sums_;
};

}  // namespace kvmbench::report
