#include "report/sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "report/printable.hpp"
#include "report/rows.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

std::vector<stats::SiteStats> sites_of(const stats::Snapshot& snapshot) {
  std::vector<stats::SiteStats> all;
  for (const stats::VcpuSnapshot& vcpu : snapshot.vcpus) {
    all.insert(all.end(), vcpu.sites.begin(), vcpu.sites.end());
  }
  return stats::by_site(all);
}

std::string name_of_key(const Report& report, const stats::ExitKey& key) {
  const KeyName name = report.name_of(key);
  const std::string direction = direction_of(key);
  const std::string access = direction.empty() ? "" : ' ' + direction + width_of(key);
  return name.device.empty() ? place_of(key) + access : name.device + ' ' + name.register_name + access;
}

bool has_no_room(const stats::SiteStats& site) {
  return site.site == stats::SiteTable::no_room;
}

std::string place_of_site(const Report& report, const stats::SiteStats& site) {
  if (has_no_room(site)) return "further places";
  const auto symbol = report.symbols.find(site.site.rip);
  const std::string address = fmt::format("{:#x}", site.site.rip);
  return symbol == report.symbols.end() ? address : fmt::format("{} ({})", symbol->second, address);
}

/// A frame of a folded stack: a semicolon and a space would end it.
std::string frame(const std::string& text) {
  std::string frame = printable(text);
  std::replace(frame.begin(), frame.end(), ';', ',');
  std::replace(frame.begin(), frame.end(), ' ', '_');
  return frame;
}

}  // namespace

std::vector<SiteRow> top_sites(const Report& report, std::size_t most) {
  struct Key {
    std::uint64_t exits = 0;
    std::vector<stats::SiteStats> sites;
  };
  std::map<stats::ExitKey, Key, KeyOrder> keys;
  for (const stats::SiteStats& site : sites_of(report.snapshot)) {
    Key& key = keys[site.site.key];
    key.exits += site.count;
    key.sites.push_back(site);
  }
  std::vector<std::pair<stats::ExitKey, Key>> sorted(keys.begin(), keys.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
    return left.second.exits > right.second.exits;
  });
  std::vector<SiteRow> rows;
  for (auto& [id, key] : sorted) {
    std::stable_sort(key.sites.begin(), key.sites.end(),
                     [](const auto& left, const auto& right) { return left.count > right.count; });
    for (std::size_t i = 0; i < std::min(most, key.sites.size()); ++i) {
      const stats::SiteStats& site = key.sites[i];
      rows.push_back({.key = has_no_room(site) ? "further keys" : name_of_key(report, id),
                      .place = place_of_site(report, site),
                      .count = site.count,
                      .of_key = key.exits,
                      .service = site.service});
    }
  }
  return rows;
}

std::string to_folded(const Report& report) {
  const std::vector<stats::SiteStats> sites = sites_of(report.snapshot);
  if (sites.empty()) {
    throw UsageError("this report does not know where in the guest its exits came from: run with --rip");
  }
  std::string image = "guest";
  for (const auto& [name, fact] : report.machine) {
    if (name == "image") image = fact;
  }
  // A function's instructions are one frame.
  std::map<std::string, std::uint64_t> stacks;
  for (const stats::SiteStats& site : sites) {
    const auto symbol = report.symbols.find(site.site.rip);
    const std::string function = has_no_room(site) ? "further places"
                                 : symbol == report.symbols.end()
                                     ? fmt::format("{:#x}", site.site.rip)
                                     : symbol->second.substr(0, symbol->second.rfind("+0x"));
    const std::string reason = stats::userspace_reason_name(site.site.key.reason);
    stacks[frame(image) + ';' + frame(reason) + ';' + frame(name_of_key(report, site.site.key)) + ';' +
           frame(function)] += site.count;
  }
  std::string folded;
  for (const auto& [stack, count] : stacks) folded += fmt::format("{} {}\n", stack, count);
  return folded;
}

}  // namespace kvmbench::report
