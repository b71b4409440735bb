/// A log-linear histogram of cycle counts.
///
/// Values below 32 have a bucket each; above, every power of two is split into 16 equal buckets. A value read
/// back (a percentile) is the middle of its bucket and so differs from the recorded one by at most 1/32
/// = 3.125 %. Values from 2^40 on (minutes) share the last bucket. Merging and subtracting are exact, bucket
/// by bucket.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "stats/exit_key.hpp"

namespace kvmbench::stats {

/// The bucket scheme, shared by the recorder's live buckets and by the values made of them.
namespace buckets {
inline constexpr unsigned sub_bits = 4;  // 16 buckets a power of two
inline constexpr unsigned value_bits = 40;
inline constexpr std::size_t sub_buckets = std::size_t{1} << sub_bits;
inline constexpr std::size_t count = ((value_bits - sub_bits) << sub_bits) + sub_buckets + 1;  // + the last

/// By how many bits the values of a bucket are wider than one: the bucket holds 2^shift of them.
[[nodiscard]] constexpr unsigned shift_of(std::size_t index) noexcept {
  return index < sub_buckets ? 0 : static_cast<unsigned>(index >> sub_bits) - 1;
}

[[nodiscard]] constexpr std::size_t index_of(Cycles value) noexcept {
  const Cycles bounded = std::min(value, Cycles{1} << value_bits);
  const unsigned shift = static_cast<unsigned>(std::bit_width(bounded | sub_buckets)) - (sub_bits + 1);
  return (std::size_t{shift} << sub_bits) + static_cast<std::size_t>(bounded >> shift);
}

/// The least value of a bucket.
[[nodiscard]] constexpr Cycles lower_bound(std::size_t index) noexcept {
  const unsigned shift = shift_of(index);
  return Cycles{index - (std::size_t{shift} << sub_bits)} << shift;
}

/// The least value above a bucket; for the last one, the greatest there is.
[[nodiscard]] constexpr Cycles upper_bound(std::size_t index) noexcept {
  return index + 1 < count ? lower_bound(index + 1) : std::numeric_limits<Cycles>::max();
}

/// What stands for every value in the bucket; the last one has no middle and is stood for by its least value.
[[nodiscard]] constexpr Cycles middle(std::size_t index) noexcept {
  return index + 1 < count ? lower_bound(index) + (Cycles{1} << shift_of(index)) / 2 : lower_bound(index);
}
}  // namespace buckets

/// A histogram as a value: copied, merged, subtracted, saved.
class Histogram final {
 public:
  void add(Cycles value, std::uint64_t times = 1) noexcept;
  /// Adds to a bucket by index (reading a saved histogram); index below buckets::count.
  void add_to_bucket(std::size_t index, std::uint64_t times) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t in_bucket(std::size_t index) const noexcept { return buckets_[index]; }
  /// The least value that the fraction `quantile` (0 to 1; 0 means the least value of all) of all values does
  /// not exceed: the value of rank ceil(quantile * count). 0 if there are none.
  [[nodiscard]] Cycles quantile(double quantile) const noexcept;

  Histogram& operator+=(const Histogram& other) noexcept;
  /// What has come since `earlier`, an earlier state of the same histogram.
  Histogram& operator-=(const Histogram& earlier) noexcept;
  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  std::uint64_t count_ = 0;
  std::array<std::uint64_t, buckets::count> buckets_{};
};

}  // namespace kvmbench::stats
