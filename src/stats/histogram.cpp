#include "stats/histogram.hpp"

#include <cmath>

namespace kvmbench::stats {

void Histogram::add(Cycles value, std::uint64_t times) noexcept {
  add_to_bucket(buckets::index_of(value), times);
}

void Histogram::add_to_bucket(std::size_t index, std::uint64_t times) noexcept {
  buckets_[index] += times;
  count_ += times;
}

Cycles Histogram::quantile(double quantile) const noexcept {
  if (count_ == 0) return 0;
  // The double next below: 0.07 * 100 is 7.000000000000001, which must be rank 7.
  const double fraction = std::nextafter(std::clamp(quantile, 0.0, 1.0), 0.0);
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  std::size_t index = 0;
  for (std::size_t i = 0; i < buckets::count && seen < rank; ++i) {
    if (buckets_[i] == 0) continue;
    seen += buckets_[i];
    index = i;
  }
  return buckets::middle(index);
}

Histogram& Histogram::operator+=(const Histogram& other) noexcept {
  count_ += other.count_;
  for (std::size_t i = 0; i < buckets::count; ++i) buckets_[i] += other.buckets_[i];
  return *this;
}

Histogram& Histogram::operator-=(const Histogram& earlier) noexcept {
  count_ -= earlier.count_;
  for (std::size_t i = 0; i < buckets::count; ++i) buckets_[i] -= earlier.buckets_[i];
  return *this;
}

}  // namespace kvmbench::stats
