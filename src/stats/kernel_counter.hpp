/// What the kernel itself counts of a VM or a vCPU (KVM_GET_STATS_FD), as values. Names, units and shapes are
/// those of the kernel's own descriptors: but for `exits`, no counter is known here by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace kvmbench::stats {

/// One counter. Its figures are in units of base^exponent: nanoseconds are Unit::seconds with 10^-9.
struct KernelCounter {
  enum class Type : std::uint8_t { cumulative, instant, peak, linear_histogram, log_histogram };
  enum class Unit : std::uint8_t { none, bytes, seconds, cycles, boolean };

  std::string name;
  Type type = Type::cumulative;
  Unit unit = Unit::none;
  std::uint8_t base = 10;  ///< 10 or 2
  std::int16_t exponent = 0;
  std::uint32_t bucket_size = 0;      ///< of a linear histogram
  std::vector<std::uint64_t> values;  ///< one; of a histogram, one a bucket

  [[nodiscard]] bool is_histogram() const noexcept {
    return type == Type::linear_histogram || type == Type::log_histogram;
  }
  /// The sum of the values.
  [[nodiscard]] std::uint64_t total() const noexcept;
  /// The least value of a histogram's bucket. (api.rst: of a linear one, bucket_size apart; of a logarithmic
  /// one, 0, 1, 2, 4, ...; the last bucket of either is open)
  [[nodiscard]] std::uint64_t lower_bound(std::size_t bucket) const noexcept;

  friend bool operator==(const KernelCounter&, const KernelCounter&) = default;
};
using KernelCounters = std::vector<KernelCounter>;

/// What tells counters apart: another kernel may have one of the same name and another type, unit or shape.
using CounterIdentity = std::tuple<std::string, KernelCounter::Type, KernelCounter::Unit, std::uint8_t,
                                   std::int16_t, std::uint32_t, std::size_t>;
[[nodiscard]] inline CounterIdentity identity_of(const KernelCounter& counter) {
  return {counter.name,     counter.type,        counter.unit,         counter.base,
          counter.exponent, counter.bucket_size, counter.values.size()};
}

/// The value of the counter of that name; nothing where there is none, or where it is a histogram.
[[nodiscard]] std::optional<std::uint64_t> value_of(const KernelCounters& counters,
                                                    std::string_view name) noexcept;

/// Adds `more`, another vCPU's counters, name by name: cumulative and instant values add up, of peaks the
/// higher one stays. A counter that is not there yet, or is of another shape there, is appended as it is.
void add(KernelCounters& sums, const KernelCounters& more);

/// What has come since `earlier`, an earlier state of the same counters. Instant values and peaks stay as
/// they are.
[[nodiscard]] KernelCounters operator-(const KernelCounters& later, const KernelCounters& earlier);

}  // namespace kvmbench::stats
