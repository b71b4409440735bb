#include "stats/recorded_counts.hpp"

#include "kvmbench_abi.h"

namespace kvmbench::stats {

Tally RecordedCounts::userspace(std::uint32_t n) const noexcept {
  static_assert(further == KVMBENCH_USERSPACE_REASONS);
  return by_reason_[n < further ? n : further];
}

Spread RecordedCounts::userspace_spread(std::uint32_t n) const noexcept {
  Gathered& gathered = gathered_[n < further ? n : further];
  if (gathered.exits != recorder_.exits()) {
    TimeStats service;
    recorder_.add_service(n < further ? n : further, n < further ? n : ~std::uint32_t{0}, service);
    gathered = {recorder_.exits(), {service.min, service.quantile(0.5), service.quantile(0.99), service.max}};
  }
  return gathered.spread;
}

std::size_t RecordedCounts::list(std::span<ReasonTally> to) const noexcept {
  std::size_t found = 0;
  for (std::size_t i = 0; i < by_reason_.size(); ++i) {
    if (by_reason_[i].count == 0) continue;
    const auto n = i < further ? static_cast<std::uint32_t>(i) : KVMBENCH_USERSPACE_FURTHER;
    if (found < to.size()) to[found] = {KVMBENCH_USERSPACE_REASON | n, by_reason_[i]};
    ++found;
  }
  return found;
}

}  // namespace kvmbench::stats
