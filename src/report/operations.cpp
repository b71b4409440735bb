#include "report/operations.hpp"

namespace kvmbench::report {
namespace {

std::optional<double> each(std::uint64_t of, std::uint64_t count) {
  if (count == 0) return std::nullopt;
  return static_cast<double>(of) / static_cast<double>(count);
}

}  // namespace

std::optional<double> OperationRow::exits_each() const {
  return each(exits.count, count);
}

std::optional<double> OperationRow::service_each() const {
  return each(exits.service, count);
}

std::vector<OperationRow> operation_rows(const Report& report) {
  std::vector<OperationRow> rows;
  for (const stats::DeviceOperations& device : report.snapshot.operations) {
    const Sums exits = sums_of_device(report, device.device);
    const std::optional<std::uint64_t> out_of_guest = out_of_guest_of_device(report, device.device);
    for (const stats::OperationCount& operation : device.counts)
      rows.push_back({device.device, operation.name, operation.count, exits, out_of_guest});
  }
  return rows;
}

std::optional<std::uint64_t> out_of_guest_of_device(const Report& report, std::string_view device) {
  const std::optional<stats::TracedExits> traced = report.snapshot.traced();
  if (!traced) return std::nullopt;
  std::uint64_t nanoseconds = 0;
  for (const stats::HardwareDetailStats& detail : traced->details) {
    if (report.name_of(detail.detail).device == device) nanoseconds += detail.nanoseconds;
  }
  return nanoseconds;
}

Sums sums_of_device(const Report& report, std::string_view device) {
  Sums sums;
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) {
      if (report.name_of(key.key).device == device) sums.add(key);
    }
  }
  return sums;
}

}  // namespace kvmbench::report
