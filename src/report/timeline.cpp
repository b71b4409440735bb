#include "report/timeline.hpp"

#include <algorithm>
#include <utility>

#include "report/chart/charts.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

void add_to(std::map<std::uint32_t, std::uint64_t>& sums,
            const std::map<std::uint32_t, std::uint64_t>& more) {
  for (const auto& [reason, exits] : more) sums[reason] += exits;
}

}  // namespace

void Timeline::add(double seconds, const std::map<std::uint32_t, std::uint64_t>& exits_by_reason) {
  const double begin = intervals_.empty() ? 0 : intervals_.back().end;
  if (intervals_.empty() || in_last_ == together_) {
    if (intervals_.size() == most_intervals) halve();
    intervals_.push_back({begin, {}});
    in_last_ = 0;
  }
  intervals_.back().end = begin + seconds;
  add_to(intervals_.back().exits_by_reason, exits_by_reason);
  ++in_last_;
}

void Timeline::halve() {
  for (std::size_t i = 0; i < intervals_.size() / 2; ++i) {
    Interval both = std::move(intervals_[2 * i]);
    both.end = intervals_[2 * i + 1].end;
    add_to(both.exits_by_reason, intervals_[2 * i + 1].exits_by_reason);
    intervals_[i] = std::move(both);
  }
  intervals_.resize(intervals_.size() / 2);
  together_ *= 2;
}

std::map<std::uint32_t, std::uint64_t> exits_by_reason(const stats::Snapshot& snapshot) {
  std::map<std::uint32_t, std::uint64_t> exits;
  for (const stats::VcpuSnapshot& vcpu : snapshot.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) exits[key.key.reason] += key.count;
  }
  return exits;
}

Drawing timeline_chart(const Timeline& timeline, double width) {
  std::map<std::uint32_t, std::uint64_t> totals;
  for (const Timeline::Interval& interval : timeline.intervals()) add_to(totals, interval.exits_by_reason);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> most;
  for (const auto& [reason, exits] : totals) most.emplace_back(exits, reason);
  std::sort(most.begin(), most.end(), [](const auto& left, const auto& right) {
    return left.first != right.first ? left.first > right.first : left.second < right.second;
  });

  const bool all_told_apart = most.size() <= series_colours;
  const std::size_t own_line = all_told_apart ? most.size() : series_colours - 1;
  std::map<std::uint32_t, std::size_t> line_of;
  std::vector<Series> series(all_told_apart ? own_line : series_colours);
  for (std::size_t i = 0; i < most.size(); ++i) line_of[most[i].second] = std::min(i, own_line);
  for (std::size_t i = 0; i < own_line; ++i) {
    series[i].label = stats::userspace_reason_name(most[i].second);
  }
  if (!all_told_apart) series.back().label = "all other reasons";

  std::vector<double> ends;
  double begin = 0;
  for (const Timeline::Interval& interval : timeline.intervals()) {
    ends.push_back(interval.end);
    for (Series& one : series) one.values.push_back(0);
    for (const auto& [reason, exits] : interval.exits_by_reason) {
      series[line_of.at(reason)].values.back() += static_cast<double>(exits) / (interval.end - begin);
    }
    begin = interval.end;
  }
  return line_chart("Exits over time", ends, series, "exits/s", width);
}

}  // namespace kvmbench::report
