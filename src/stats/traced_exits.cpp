#include "stats/traced_exits.hpp"

#include <algorithm>
#include <utility>

namespace kvmbench::stats {
namespace {

std::uint32_t identity(const HardwareReasonStats& stats) noexcept {
  return stats.reason;
}
HardwareDetail identity(const HardwareDetailStats& stats) noexcept {
  return stats.detail;
}
std::uint32_t identity(const ReturnCount& stats) noexcept {
  return stats.reason;
}

HardwareDetailStats& operator+=(HardwareDetailStats& sum, const HardwareDetailStats& more) noexcept {
  sum.count += more.count;
  sum.timed += more.timed;
  sum.nanoseconds += more.nanoseconds;
  return sum;
}
HardwareDetailStats& operator-=(HardwareDetailStats& later, const HardwareDetailStats& earlier) noexcept {
  later.count -= earlier.count;
  later.timed -= earlier.timed;
  later.nanoseconds -= earlier.nanoseconds;
  return later;
}
ReturnCount& operator+=(ReturnCount& sum, const ReturnCount& more) noexcept {
  sum.count += more.count;
  return sum;
}
ReturnCount& operator-=(ReturnCount& later, const ReturnCount& earlier) noexcept {
  later.count -= earlier.count;
  return later;
}

bool grew(const HardwareReasonStats& stats) noexcept {
  return stats.count != 0 || stats.returned != 0 || stats.out_of_guest.count() != 0 ||
         stats.outside.count() != 0;
}
bool grew(const HardwareDetailStats& stats) noexcept {
  return stats.count != 0 || stats.timed != 0;
}
bool grew(const ReturnCount& stats) noexcept {
  return stats.count != 0;
}

/// Where an element of that identity is, or belongs, in a list in ascending order.
template <typename Stats>
auto place_of(std::vector<Stats>& list, const Stats& sought) noexcept {
  return std::lower_bound(list.begin(), list.end(), sought,
                          [](const Stats& a, const Stats& b) { return identity(a) < identity(b); });
}

template <typename Stats>
void add(std::vector<Stats>& sums, const std::vector<Stats>& more) {
  for (const Stats& stats : more) {
    const auto at = place_of(sums, stats);
    if (at != sums.end() && identity(*at) == identity(stats)) {
      *at += stats;
    } else {
      sums.insert(at, stats);
    }
  }
}

template <typename Stats>
void subtract(std::vector<Stats>& later, const std::vector<Stats>& earlier) {
  for (const Stats& stats : earlier) {
    const auto at = place_of(later, stats);
    if (at != later.end() && identity(*at) == identity(stats)) *at -= stats;
  }
  std::erase_if(later, [](const Stats& stats) { return !grew(stats); });
}

}  // namespace

HardwareReasonStats& HardwareReasonStats::operator+=(const HardwareReasonStats& other) noexcept {
  count += other.count;
  returned += other.returned;
  out_of_guest += other.out_of_guest;
  outside += other.outside;
  return *this;
}

HardwareReasonStats& HardwareReasonStats::operator-=(const HardwareReasonStats& earlier) noexcept {
  count -= earlier.count;
  returned -= earlier.returned;
  out_of_guest -= earlier.out_of_guest;
  outside -= earlier.outside;
  return *this;
}

std::uint64_t TracedExits::return_count() const noexcept {
  std::uint64_t all = 0;
  for (const ReturnCount& each : returns) all += each.count;
  return all;
}

TracedExits& TracedExits::operator+=(const TracedExits& other) {
  if (vendor == Vendor::unknown) vendor = other.vendor;
  exits += other.exits;
  entries += other.entries;
  emulated += other.emulated;
  without_reason += other.without_reason;
  without_detail += other.without_detail;
  add(reasons, other.reasons);
  add(details, other.details);
  add(returns, other.returns);
  return *this;
}

TracedExits& TracedExits::operator-=(const TracedExits& earlier) {
  exits -= earlier.exits;
  entries -= earlier.entries;
  emulated -= earlier.emulated;
  without_reason -= earlier.without_reason;
  without_detail -= earlier.without_detail;
  subtract(reasons, earlier.reasons);
  subtract(details, earlier.details);
  subtract(returns, earlier.returns);
  return *this;
}

}  // namespace kvmbench::stats
