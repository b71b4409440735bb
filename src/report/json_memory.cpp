/// The section "guarded_memory" of a saved report.
#include "report/json_sections.hpp"

namespace kvmbench::report {
namespace {

constexpr std::size_t most_ranges = 10'000, most_accesses = 1 << 20;

stats::GuardedMemory range_of(const Node& node) {
  node.expect_members({"first", "last", "rule", "reads", "writes", "told"});
  stats::GuardedMemory range;
  range.first = node["first"].number();
  range.last = node["last"].number();
  if (range.last < range.first) node["last"].refuse("the range ends before it begins");
  range.rule = node["rule"].text();
  range.reads = node["reads"].number();
  range.writes = node["writes"].number();
  range.told = node["told"].number();
  return range;
}

stats::MemoryAccess access_of(const Node& node) {
  node.expect_members({"when", "vcpu", "address", "direction", "width", "value", "rip"});
  stats::MemoryAccess access;
  access.when = node["when"].number();
  if (node["vcpu"].number_or_null()) access.vcpu = node["vcpu"].number<std::uint32_t>();
  access.address = node["address"].number();
  access.direction = node["direction"].one_of<Direction>(direction_names);
  access.width = node["width"].number<std::uint8_t>(8);
  access.value = node["value"].number_or_null();
  access.rip = node["rip"].number_or_null();
  return access;
}

}  // namespace

WrittenJson write_guarded_memory(const Report& report) {
  if (report.guarded.ranges.empty()) return nullptr;
  WrittenJson ranges = WrittenJson::array(), accesses = WrittenJson::array();
  for (const stats::GuardedMemory& range : report.guarded.ranges) {
    ranges.push_back({{"first", range.first},
                      {"last", range.last},
                      {"rule", range.rule},
                      {"reads", range.reads},
                      {"writes", range.writes},
                      {"told", range.told}});
  }
  for (const stats::MemoryAccess& access : report.guarded.accesses) {
    accesses.push_back({{"when", access.when},
                        {"vcpu", or_null(access.vcpu)},
                        {"address", access.address},
                        {"direction", name_of(access.direction)},
                        {"width", access.width},
                        {"value", or_null(access.value)},
                        {"rip", or_null(access.rip)}});
  }
  return {
      {"ranges", std::move(ranges)}, {"accesses", std::move(accesses)}, {"further", report.guarded.further}};
}

void read_guarded_memory(const Node& node, Report& report) {
  node.expect_members({"ranges", "accesses", "further"});
  BoundedSum all;
  for (const Node& each : node["ranges"].elements(most_ranges)) {
    report.guarded.ranges.push_back(range_of(each));
    for (const char* count : {"reads", "writes", "told"}) all.add(each[count].number(), each[count]);
  }
  if (report.guarded.ranges.empty()) node["ranges"].refuse("there is no range");
  for (const Node& each : node["accesses"].elements(most_accesses))
    report.guarded.accesses.push_back(access_of(each));
  report.guarded.further = node["further"].number();
}

}  // namespace kvmbench::report
