/// The section "sites" of a saved report.
#include <algorithm>
#include <set>
#include <tuple>

#include "report/json_sections.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

WrittenJson site_value(const Report& report, std::uint32_t vcpu, const stats::SiteStats& site) {
  const stats::ExitKey& key = site.site.key;
  const auto symbol = report.symbols.find(site.site.rip);
  return {{"vcpu", vcpu},
          {"reason", key.reason},
          {"reason_name", stats::userspace_reason_name(key.reason)},
          {"address", key.address},
          {"direction", name_of(key.direction)},
          {"width", key.width},
          {"rip", site.site.rip},
          {"symbol", symbol == report.symbols.end() ? "" : symbol->second},
          {"count", site.count},
          {"service", site.service}};
}

stats::SiteStats site_stats(const Node& node) {
  node.expect_members({"vcpu", "reason", "reason_name", "address", "direction", "width", "rip", "symbol",
                       "count", "service"});
  stats::SiteStats site;
  site.site.key.reason = node["reason"].number<std::uint32_t>();
  site.site.key.address = node["address"].number();
  site.site.key.direction = node["direction"].one_of<Direction>(direction_names);
  site.site.key.width = node["width"].number<std::uint8_t>();
  site.site.rip = node["rip"].number();
  site.count = node["count"].number();
  site.service = node["service"].number();
  return site;
}

}  // namespace

WrittenJson write_sites(const Report& report) {
  WrittenJson value = WrittenJson::array();
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    for (const stats::SiteStats& site : vcpu.sites) value.push_back(site_value(report, vcpu.vcpu, site));
  }
  return value.empty() ? WrittenJson(nullptr) : value;
}

void read_sites(const Node& node, Report& report) {
  constexpr std::size_t most = 512 * stats::SiteTable::most_sites;
  using Place = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, unsigned, Direction, std::uint64_t>;
  std::set<Place> seen;
  BoundedSum counts, cycles;
  for (const Node& each : node.elements(most)) {
    const stats::SiteStats site = site_stats(each);
    const auto number = each["vcpu"].number<std::uint32_t>();
    const auto vcpu = std::find_if(report.snapshot.vcpus.begin(), report.snapshot.vcpus.end(),
                                   [=](const stats::VcpuSnapshot& one) { return one.vcpu == number; });
    if (vcpu == report.snapshot.vcpus.end()) each["vcpu"].refuse("there is no such vCPU");
    const stats::ExitKey& key = site.site.key;
    if (!seen.insert({number, key.reason, key.address, key.width, key.direction, site.site.rip}).second) {
      each.refuse("this site comes twice");
    }
    counts.add(site.count, each["count"]);
    cycles.add(site.service, each["service"]);
    vcpu->sites.push_back(site);
    if (const std::string symbol = each["symbol"].text(); !symbol.empty()) {
      const auto [known, is_new] = report.symbols.try_emplace(site.site.rip, symbol);
      if (!is_new && known->second != symbol)
        each["symbol"].refuse("another symbol than this address has before");
    }
  }
}

}  // namespace kvmbench::report
