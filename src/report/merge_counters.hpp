/// The kernel's counters of several runs as one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "stats/kernel_counter.hpp"

namespace kvmbench::report {

/// Cumulative and instant values and histograms add up, of peaks the highest stays; whatever the order.
/// Counters of one name that differ in type, unit or shape, as another kernel's may, are counters of their
/// own.
class CounterSums final {
 public:
  /// False where a sum passes 2^64.
  [[nodiscard]] bool add(const stats::KernelCounters& counters);
  /// By name.
  [[nodiscard]] stats::KernelCounters take();

 private:
  using Identity = std::tuple<std::string, stats::KernelCounter::Type, stats::KernelCounter::Unit,
                              std::uint8_t, std::int16_t, std::uint32_t, std::size_t>;
  std::map<Identity, stats::KernelCounter> sums_;
};

}  // namespace kvmbench::report
