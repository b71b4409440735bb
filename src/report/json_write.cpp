/// The report as JSON, docs/report.schema.json.

#include "report/formats.hpp"
#include "report/json_format.hpp"
#include "report/json_kernel.hpp"
#include "report/json_sections.hpp"
#include "report/json_times.hpp"
#include "report/names.hpp"
#include "report/rows.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

using Json = WrittenJson;

Json identity(const stats::ExitKey& key) {
  return {{"phase", key.phase},
          {"reason", key.reason},
          {"address", key.address},
          {"direction", name_of(key.direction)},
          {"width", key.width}};
}

Json key_value(const Report& report, const stats::KeyStats& stats) {
  const KeyName name = report.name_of(stats.key);
  Json value = identity(stats.key);
  value["reason_name"] = stats::userspace_reason_name(stats.key.reason);
  value["device"] = name.device;
  value["register"] = name.register_name;
  value["count"] = stats.count;
  value["transfers"] = stats.transfers;
  value["service"] = figures_and_histogram(stats.service);
  value["run"] = figures_and_histogram(stats.run);
  return value;
}

Json facts_value(const Facts& facts) {
  Json value = Json::array();
  for (const auto& [name, fact] : facts) value.push_back({{"name", name}, {"value", fact}});
  return value;
}

Json phases_value(const stats::Snapshot& snapshot) {
  Json value = Json::array();
  const std::vector<Sums> sums = sums_by_phase(snapshot);
  for (std::size_t i = 0; i < snapshot.phases.size(); ++i) {
    const stats::Phase& phase = snapshot.phases[i];
    value.push_back({{"name", phase.label.name()},
                     {"kind", name_of(phase.label.kind)},
                     {"value", phase.label.value},
                     {"text", phase.label.text},
                     {"first_began", phase.first_began},
                     {"exits", sums[i].count},
                     {"service", sums[i].service},
                     {"run", sums[i].run}});
  }
  return value;
}

/// null where the kernel keeps no count.
Json kernel_exits_value(const std::optional<std::uint64_t>& kernel_exits) {
  return kernel_exits ? Json(*kernel_exits) : Json(nullptr);
}

Json vcpus_value(const Report& report) {
  Json value = Json::array();
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    Json keys = Json::array();
    for (const stats::KeyStats& stats : vcpu.keys) keys.push_back(key_value(report, stats));
    value.push_back({{"vcpu", vcpu.vcpu},
                     {"exits", vcpu.exits},
                     {"kernel_exits", kernel_exits_value(vcpu.kernel_exits)},
                     {"keys", std::move(keys)}});
  }
  return value;
}

Json sums_value(const stats::ReasonStats& sums) {
  return {{"count", sums.count},
          {"transfers", sums.transfers},
          {"service", figures(sums.service)},
          {"run", figures(sums.run)}};
}

Json reasons_value(const Account& account) {
  Json value = Json::array();
  for (const stats::ReasonStats& sums : account.reasons) {
    const stats::ReasonText* text = stats::userspace_reason(sums.reason);
    Json reason{
        {"reason", sums.reason},
        {"name", text != nullptr ? std::string(text->name) : stats::userspace_reason_name(sums.reason)},
        {"reason_name", stats::userspace_reason_name(sums.reason)},
        {"description", description_of(sums.reason)}};
    reason.update(sums_value(sums));
    value.push_back(std::move(reason));
  }
  return value;
}

}  // namespace

std::string to_json(const Report& report) {
  const stats::Snapshot& snapshot = report.snapshot;
  const Account account = account_of(snapshot);
  Json value{{"format", json_format},
             {"version", json_version},
             {"kvmbench", report.kvmbench_version},
             {"started", report.started},
             {"wall_seconds", report.wall_seconds},
             {"ending", report.ending},
             {"exit_status", report.exit_status},
             {"machine", facts_value(report.machine)},
             {"host", facts_value(report.host)},
             {"tsc_khz", snapshot.tsc_khz},
             {"began", snapshot.began},
             {"taken", snapshot.taken},
             {"exits", snapshot.exits()},
             {"kernel_exits", kernel_exits_value(snapshot.kernel_exits())},
             {"totals", sums_value(account.total)},
             {"by_reason", reasons_value(account)},
             {"phases", phases_value(snapshot)},
             {"buckets",
              {{"sub_bits", stats::buckets::sub_bits},
               {"value_bits", stats::buckets::value_bits},
               {"count", stats::buckets::count}}},
             {"vcpus", vcpus_value(report)}};
  for (const JsonSection& section : json_sections()) {
    if (Json written = section.write(report); !written.is_null()) value[section.name] = std::move(written);
  }
  constexpr unsigned levels_to_a_key = 4;  // the report, its vCPUs, a vCPU, its keys
  return json_text(value, levels_to_a_key);
}

std::string to_json_line(const stats::Snapshot& interval, std::uint64_t number) {
  Json vcpus = Json::array();
  for (const stats::VcpuSnapshot& vcpu : interval.vcpus) {
    vcpus.push_back({{"vcpu", vcpu.vcpu},
                     {"exits", vcpu.exits},
                     {"kernel_exits", kernel_exits_value(vcpu.kernel_exits)}});
  }
  Json keys = Json::array();
  for (const stats::KeyStats& stats : stats::by_key(interval, stats::Phases::kept)) {
    Json key = identity(stats.key);
    key["phase_name"] =
        stats.key.phase < interval.phases.size() ? interval.phases[stats.key.phase].label.name() : "";
    key["reason_name"] = stats::userspace_reason_name(stats.key.reason);
    key["count"] = stats.count;
    key["transfers"] = stats.transfers;
    key["service"] = stats.service.sum;
    key["run"] = stats.run.sum;
    keys.push_back(std::move(key));
  }
  return json_line({{"format", json_interval_format},
                    {"version", json_version},
                    {"interval", number},
                    {"tsc_khz", interval.tsc_khz},
                    {"began", interval.began},
                    {"taken", interval.taken},
                    {"exits", interval.exits()},
                    {"kernel_exits", kernel_exits_value(interval.kernel_exits())},
                    {"vcpus", std::move(vcpus)},
                    {"keys", std::move(keys)},
                    {"operations", write_operations(interval.operations)},
                    {"kernel", interval_counters(interval)},
                    {"hardware", interval_hardware(interval)}});
}

}  // namespace kvmbench::report
