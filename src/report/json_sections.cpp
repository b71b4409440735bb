#include "report/json_sections.hpp"

#include <array>

#include "report/json_kernel.hpp"

namespace kvmbench::report {
namespace {

WrittenJson write_runs(const Report& report) {
  return report.runs;
}

void read_runs(const Node& node, Report& report) {
  report.runs = node.number<std::uint64_t>(std::numeric_limits<std::uint64_t>::max(), 1);
}

WrittenJson write_devices(const Report& report) {
  return report.devices;
}

void read_devices(const Node& node, Report& report) {
  constexpr std::size_t most = 10'000;
  for (const Node& device : node.elements(most)) report.devices.push_back(device.text());
}

constexpr std::array sections{
    JsonSection{"runs", 2, write_runs, read_runs},
    JsonSection{"devices", 2, write_devices, read_devices},
    JsonSection{"operations", 2, write_operations, read_operations},
    JsonSection{"kernel", 2, write_kernel, read_kernel},
    JsonSection{"hardware", 2, write_hardware, read_hardware},
    JsonSection{"sites", 2, write_sites, read_sites},
    JsonSection{"guarded_memory", 2, write_guarded_memory, read_guarded_memory},
};

}  // namespace

std::span<const JsonSection> json_sections() {
  return sections;
}

}  // namespace kvmbench::report
