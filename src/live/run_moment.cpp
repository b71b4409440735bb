#include "live/run_moment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/printable.hpp"
#include "report/rows.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::live {
namespace {

std::string name_of_key(const stats::ExitKey& key, const NameOf& name_of) {
  const report::KeyName name = name_of(key);
  const std::string direction = report::direction_of(key);
  const std::string access = direction.empty() ? "" : fmt::format(" {}{}", direction, report::width_of(key));
  return name.device.empty() ? report::place_of(key) + access
                             : fmt::format("{} {}{}", name.device, name.register_name, access);
}

/// Sums of all keys that share an identity.
struct Sums {
  std::string name;
  std::uint64_t total = 0;
  std::uint64_t recent = 0;
  stats::TimeStats recent_service;
};

}  // namespace

std::vector<Row> RunMoment::rows(Grouping grouping, std::optional<std::uint64_t> only_reason) const {
  std::map<std::string, std::pair<std::uint64_t, Sums>> rows;
  const auto row_of = [&](std::uint32_t vcpu, const stats::ExitKey& key) -> Sums& {
    stats::ExitKey anywhen = key;
    anywhen.phase = 0;
    const std::uint64_t id = grouping == Grouping::vcpu ? vcpu : key.reason;
    const std::string name = grouping == Grouping::reason ? stats::userspace_reason_name(key.reason)
                             : grouping == Grouping::vcpu ? fmt::format("vcpu {}", vcpu)
                                                          : name_of_key(anywhen, name_of_);
    return rows.try_emplace(name, id, Sums{}).first->second.second;
  };
  const auto wanted = [&](const stats::KeyStats& key) {
    return key.count != 0 && (!only_reason || key.key.reason == *only_reason);
  };
  for (const stats::VcpuSnapshot& vcpu : sample_.total.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) {
      if (wanted(key)) row_of(vcpu.vcpu, key.key).total += key.count;
    }
  }
  stats::Cycles all_service = 0;
  for (const stats::VcpuSnapshot& vcpu : sample_.recent.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) {
      all_service += key.service.sum;
      if (!wanted(key)) continue;
      Sums& sums = row_of(vcpu.vcpu, key.key);
      sums.recent += key.count;
      sums.recent_service += key.service;
    }
  }

  const report::Clock clock(sample_.total.tsc_khz);
  std::vector<Row> result;
  result.reserve(rows.size());
  for (const auto& [name, identified] : rows) {
    const auto& [id, sums] = identified;
    const auto p99 = static_cast<double>(sums.recent_service.quantile(0.99));
    result.push_back(
        {.name = name,
         .id = id,
         .total = sums.total,
         .rate = sample_.recent_seconds > 0 ? static_cast<double>(sums.recent) / sample_.recent_seconds : 0,
         .time_share = all_service == 0
                           ? 0
                           : static_cast<double>(sums.recent_service.sum) / static_cast<double>(all_service),
         .p99_seconds = clock.known() ? clock.seconds(p99) : 0});
  }
  return result;
}

std::string RunMoment::title(Grouping grouping, std::optional<std::uint64_t> only_reason) const {
  if (only_reason) return stats::userspace_reason_name(static_cast<std::uint32_t>(*only_reason)) + " by key";
  return grouping == Grouping::reason ? "reason" : grouping == Grouping::key ? "key" : "vCPU";
}

std::string RunMoment::headline() const {
  const double rate =
      sample_.recent_seconds > 0 ? static_cast<double>(sample_.recent.exits()) / sample_.recent_seconds : 0;
  std::string kernel;
  if (const auto exits = sample_.recent.kernel_exits(); exits && sample_.recent_seconds > 0) {
    kernel = fmt::format(", {}/s in hardware",
                         rate_in_words(static_cast<double>(*exits) / sample_.recent_seconds));
  }
  return fmt::format("{}  {}  {} exits, {}/s{}", report::printable(sample_.title),
                     report::duration(sample_.run_seconds), report::grouped(sample_.total.exits()),
                     rate_in_words(rate), kernel);
}

}  // namespace kvmbench::live
