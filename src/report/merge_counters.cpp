#include "report/merge_counters.hpp"

#include <algorithm>

#include "report/json_kernel.hpp"

namespace kvmbench::report {

bool CounterSums::add(const stats::KernelCounters& counters) {
  for (const stats::KernelCounter& counter : counters) {
    const auto [at, is_new] = sums_.try_emplace(stats::identity_of(counter), counter);
    if (is_new) continue;
    std::vector<std::uint64_t>& sums = at->second.values;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (counter.type == stats::KernelCounter::Type::peak) {
        sums[i] = std::max(sums[i], counter.values[i]);
      } else if (__builtin_add_overflow(sums[i], counter.values[i], &sums[i]) ||
                 sums[i] > most_of_a_counter) {
        return false;
      }
    }
  }
  return true;
}

stats::KernelCounters CounterSums::take() {
  stats::KernelCounters counters;
  for (auto& [identity, sum] : sums_) counters.push_back(std::move(sum));
  return counters;
}

}  // namespace kvmbench::report
