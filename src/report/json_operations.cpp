/// The section "operations" of a saved report.
#include <set>

#include "report/json_sections.hpp"
#include "report/operations.hpp"

namespace kvmbench::report {
namespace {

WrittenJson counts_value(const stats::DeviceOperations& device) {
  WrittenJson value = WrittenJson::array();
  for (const stats::OperationCount& operation : device.counts)
    value.push_back({{"name", operation.name}, {"count", operation.count}});
  return value;
}

stats::DeviceOperations device_operations(const Node& node, BoundedSum& all) {
  constexpr std::size_t most_counts = 100;
  node.expect_members({"device", "exits", "service", "run", "counts"});
  stats::DeviceOperations device{node["device"].text(), {}};
  std::set<std::string> seen;
  for (const Node& operation : node["counts"].elements(most_counts)) {
    operation.expect_members({"name", "count"});
    device.counts.push_back({operation["name"].text(), operation["count"].number()});
    all.add(device.counts.back().count, operation["count"]);
    if (!seen.insert(device.counts.back().name).second) operation.refuse("this operation comes twice");
  }
  return device;
}

}  // namespace

WrittenJson write_operations(const std::vector<stats::DeviceOperations>& operations) {
  WrittenJson value = WrittenJson::array();
  for (const stats::DeviceOperations& device : operations)
    value.push_back({{"device", device.device}, {"counts", counts_value(device)}});
  return value;
}

WrittenJson write_operations(const Report& report) {
  WrittenJson value = WrittenJson::array();
  for (const stats::DeviceOperations& device : report.snapshot.operations) {
    const Sums exits = sums_of_device(report, device.device);
    value.push_back({{"device", device.device},
                     {"exits", exits.count},
                     {"service", exits.service},
                     {"run", exits.run},
                     {"counts", counts_value(device)}});
  }
  return value;
}

void read_operations(const Node& node, Report& report) {
  constexpr std::size_t most_devices = 10'000;
  std::set<std::string> seen;
  BoundedSum all;
  for (const Node& device : node.elements(most_devices)) {
    report.snapshot.operations.push_back(device_operations(device, all));
    if (!seen.insert(report.snapshot.operations.back().device).second)
      device.refuse("this device comes twice");
  }
}

}  // namespace kvmbench::report
