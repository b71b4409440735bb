#include "stats/kernel_counter.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace kvmbench::stats {
namespace {

template <typename Counters>
auto* find(Counters& counters, std::string_view name) noexcept {
  const auto at = std::find_if(counters.begin(), counters.end(),
                               [=](const KernelCounter& counter) { return counter.name == name; });
  return at == counters.end() ? nullptr : &*at;
}

bool same_shape(const KernelCounter& a, const KernelCounter& b) noexcept {
  return a.type == b.type && a.unit == b.unit && a.base == b.base && a.exponent == b.exponent &&
         a.bucket_size == b.bucket_size && a.values.size() == b.values.size();
}

bool only_grows(const KernelCounter& counter) noexcept {
  return counter.type == KernelCounter::Type::cumulative || counter.is_histogram();
}

}  // namespace

std::uint64_t KernelCounter::total() const noexcept {
  return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
}

std::uint64_t KernelCounter::lower_bound(std::size_t bucket) const noexcept {
  if (type == Type::linear_histogram) return bucket * std::uint64_t{bucket_size};
  if (bucket == 0) return 0;
  return bucket <= 64 ? std::uint64_t{1} << (bucket - 1) : std::numeric_limits<std::uint64_t>::max();
}

std::optional<std::uint64_t> value_of(const KernelCounters& counters, std::string_view name) noexcept {
  const KernelCounter* counter = find(counters, name);
  if (counter == nullptr || counter->is_histogram() || counter->values.size() != 1) return std::nullopt;
  return counter->values.front();
}

void add(KernelCounters& sums, const KernelCounters& more) {
  for (const KernelCounter& counter : more) {
    KernelCounter* sum = find(sums, counter.name);
    if (sum == nullptr || !same_shape(*sum, counter)) {
      sums.push_back(counter);
      continue;
    }
    for (std::size_t i = 0; i < sum->values.size(); ++i) {
      std::uint64_t& value = sum->values[i];
      value = counter.type == KernelCounter::Type::peak ? std::max(value, counter.values[i])
                                                        : value + counter.values[i];
    }
  }
}

KernelCounters operator-(const KernelCounters& later, const KernelCounters& earlier) {
  KernelCounters grown = later;
  for (KernelCounter& counter : grown) {
    const KernelCounter* known = find(earlier, counter.name);
    if (known == nullptr || !same_shape(*known, counter) || !only_grows(counter)) continue;
    for (std::size_t i = 0; i < counter.values.size(); ++i) counter.values[i] -= known->values[i];
  }
  return grown;
}

}  // namespace kvmbench::stats
