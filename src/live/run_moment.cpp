#include "live/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

std::vector<Row> rows_of(const Sample& sample, Grouping grouping, std::optional<std::uint32_t> only_reason,
                         const NameOf& name_of) {
  std::map<std::string, std::pair<std::uint64_t, Sums>> rows;
  const auto row_of = [&](std::uint32_t vcpu, const stats::ExitKey& key) -> Sums& {
    stats::ExitKey anywhen = key;
    anywhen.phase = 0;
    const std::uint64_t id = grouping == Grouping::vcpu ? vcpu : key.reason;
    const std::string name = grouping == Grouping::reason ? stats::userspace_reason_name(key.reason)
                             : grouping == Grouping::vcpu ? fmt::format("vcpu {}", vcpu)
                                                          : name_of_key(anywhen, name_of);
    return rows.try_emplace(name, id, Sums{}).first->second.second;
  };
  const auto wanted = [&](const stats::KeyStats& key) {
    return key.count != 0 && (!only_reason || key.key.reason == *only_reason);
  };
  for (const stats::VcpuSnapshot& vcpu : sample.total.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) {
      if (wanted(key)) row_of(vcpu.vcpu, key.key).total += key.count;
    }
  }
  stats::Cycles all_service = 0;
  for (const stats::VcpuSnapshot& vcpu : sample.recent.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) {
      all_service += key.service.sum;
      if (!wanted(key)) continue;
      Sums& sums = row_of(vcpu.vcpu, key.key);
      sums.recent += key.count;
      sums.recent_service += key.service;
    }
  }

  const report::Clock clock(sample.total.tsc_khz);
  std::vector<Row> result;
  result.reserve(rows.size());
  for (const auto& [name, identified] : rows) {
    const auto& [id, sums] = identified;
    const auto p99 = static_cast<double>(sums.recent_service.quantile(0.99));
    result.push_back(
        {.name = name,
         .id = id,
         .total = sums.total,
         .rate = sample.recent_seconds > 0 ? static_cast<double>(sums.recent) / sample.recent_seconds : 0,
         .time_share = all_service == 0
                           ? 0
                           : static_cast<double>(sums.recent_service.sum) / static_cast<double>(all_service),
         .p99_seconds = clock.known() ? clock.seconds(p99) : 0});
  }
  return result;
}

}  // namespace kvmbench::live
