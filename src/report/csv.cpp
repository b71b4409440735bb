/// The report as comma-separated values.
#include <fmt/format.h>

#include <array>

#include "report/csv_field.hpp"
#include "report/formats.hpp"
#include "report/kernel_view.hpp"
#include "report/memory_view.hpp"
#include "report/names.hpp"
#include "report/operations.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

std::string titles() {
  std::string line =
      "vcpu,phase,phase_name,reason,reason_name,device,register,address,direction,width,count,transfers";
  for (const std::string_view of : {"service", "run"}) {
    for (const std::string_view unit : {"cycles", "ns"}) {
      for (const std::string_view figure : {"sum", "min", "mean", "p50", "p90", "p99", "p99.9", "max"}) {
        line += fmt::format(",{}_{}_{}", of, figure, unit);
      }
    }
  }
  return line + '\n';
}

void add_times(std::string& line, const stats::TimeStats& times, const Clock& clock) {
  const auto exact = [](stats::Cycles cycles) { return std::to_string(cycles); };
  line += fmt::format(",{},{},{:.1f}", exact(times.sum), exact(times.min), times.mean());
  for (const Percentile& percentile : percentiles) line += ',' + exact(times.quantile(percentile.quantile));
  line += ',' + exact(times.max);

  const auto nanoseconds = [&](auto cycles) {
    return clock.known() ? fmt::format(",{:.1f}", clock.nanoseconds(static_cast<double>(cycles))) : ",";
  };
  line += nanoseconds(times.sum) + nanoseconds(times.min) + nanoseconds(times.mean());
  for (const Percentile& percentile : percentiles) line += nanoseconds(times.quantile(percentile.quantile));
  line += nanoseconds(times.max);
}

std::string phase_name(const stats::Snapshot& snapshot, std::size_t phase) {
  return phase < snapshot.phases.size() ? snapshot.phases[phase].label.name() : "";
}

/// A table of its own after an empty line, where devices count operations.
void add_operations(std::string& out, const Report& report) {
  if (report.snapshot.operations.empty()) return;
  out += "\ndevice,operation,count,exits,service_sum_cycles\n";
  for (const OperationRow& row : operation_rows(report)) {
    out += fmt::format("{},{},{},{},{}\n", csv_field(row.device), csv_field(row.operation), row.count,
                       row.exits.count, row.exits.service);
  }
}

}  // namespace

std::string to_csv(const Report& report) {
  const Clock clock(report.snapshot.tsc_khz);
  std::string out = titles();
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    for (const stats::KeyStats& stats : vcpu.keys) {
      const stats::ExitKey& key = stats.key;
      const KeyName name = report.name_of(key);
      out +=
          fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}", vcpu.vcpu, key.phase,
                      csv_field(phase_name(report.snapshot, key.phase)), key.reason,
                      csv_field(stats::userspace_reason_name(key.reason)), csv_field(name.device),
                      csv_field(name.register_name),
                      key.address == stats::overflow_address ? "further" : fmt::format("{:#x}", key.address),
                      name_of(key.direction), key.width, stats.count, stats.transfers);
      add_times(out, stats.service, clock);
      add_times(out, stats.run, clock);
      out += '\n';
    }
  }
  add_operations(out, report);
  for (const PlainTable& table : kernel_tables(report)) out += csv(table);
  for (const PlainTable& table : memory_tables(report)) out += csv(table);
  return out;
}

}  // namespace kvmbench::report
