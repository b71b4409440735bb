#include <algorithm>

#include "report/hardware_accounting.hpp"
#include "report/json_kernel.hpp"
#include "report/json_times.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

constexpr std::array<std::string_view, 3> vendor_names{"unknown", "vmx", "svm"};
constexpr std::array<std::string_view, 7> kind_names{"port",       "mmio", "msr",      "cpuid",
                                                     "page_fault", "apic", "hypercall"};

std::string_view name_of(stats::Vendor vendor) {
  return vendor_names[static_cast<std::size_t>(vendor)];
}

WrittenJson reason_value(stats::Vendor vendor, const stats::HardwareReasonStats& reason,
                         bool with_histograms) {
  const auto times = [=](const stats::TimeStats& stats) {
    return with_histograms ? figures_and_histogram(stats) : figures(stats);
  };
  return {{"reason", reason.reason},
          {"reason_name", stats::hardware_reason_name(vendor, reason.reason)},
          {"count", reason.count},
          {"returned", reason.returned},
          {"out_of_guest", times(reason.out_of_guest)},
          {"outside", times(reason.outside)}};
}

WrittenJson detail_value(const Report& report, const stats::HardwareDetailStats& detail) {
  const KeyName name = report.name_of(detail.detail);
  WrittenJson value{{"kind", kind_names[static_cast<std::size_t>(detail.detail.kind)]},
                    {"value", detail.detail.value},
                    {"direction", report::name_of(detail.detail.direction)},
                    {"width", detail.detail.width},
                    {"count", detail.count},
                    {"timed", detail.timed},
                    {"out_of_guest", detail.nanoseconds}};
  if (name == KeyName{}) return value;
  value["device"] = name.device;
  value["register"] = name.register_name;
  return value;
}

WrittenJson vcpu_value(const Report& report, const stats::VcpuSnapshot& vcpu) {
  const stats::TracedExits& traced = *vcpu.traced;
  WrittenJson reasons = WrittenJson::array();
  for (const stats::HardwareReasonStats& reason : traced.reasons)
    reasons.push_back(reason_value(traced.vendor, reason, true));
  WrittenJson details = WrittenJson::array();
  for (const stats::HardwareDetailStats& detail : traced.details)
    details.push_back(detail_value(report, detail));
  WrittenJson returns = WrittenJson::array();
  for (const stats::ReturnCount& each : traced.returns) {
    returns.push_back({{"reason", each.reason},
                       {"reason_name", stats::userspace_reason_name(each.reason)},
                       {"count", each.count}});
  }
  return {{"vcpu", vcpu.vcpu},
          {"vendor", name_of(traced.vendor)},
          {"exits", traced.exits},
          {"entries", traced.entries},
          {"emulated", traced.emulated},
          {"without_reason", traced.without_reason},
          {"without_detail", traced.without_detail},
          {"reasons", std::move(reasons)},
          {"details", std::move(details)},
          {"returns", std::move(returns)}};
}

WrittenJson by_reason(const stats::TracedExits& traced) {
  WrittenJson value = WrittenJson::array();
  for (const stats::HardwareReasonStats& reason : traced.reasons) {
    WrittenJson each = reason_value(traced.vendor, reason, false);
    const stats::ReasonText* text =
        stats::hardware_reason(traced.vendor, stats::basic_reason(traced.vendor, reason.reason));
    each["description"] = text == nullptr ? "" : std::string(text->description);
    value.push_back(std::move(each));
  }
  return value;
}

/// Sums over a whole report.
struct ReportSums {
  BoundedSum counts, returned, out_values, outside_values, nanoseconds, others, details, detail_times;
};

stats::HardwareReasonStats read_reason(const Node& node, ReportSums& sums) {
  node.expect_members({"reason", "reason_name", "count", "returned", "out_of_guest", "outside"});
  stats::HardwareReasonStats reason;
  reason.reason = node["reason"].number<std::uint32_t>();
  reason.count = node["count"].number();
  reason.returned = node["returned"].number();
  if (reason.returned > reason.count) node["returned"].refuse("above the count");
  sums.counts.add(reason.count, node["count"]);
  sums.returned.add(reason.returned, node["returned"]);
  read_times(node["out_of_guest"], sums.out_values, sums.nanoseconds, reason.out_of_guest);
  read_times(node["outside"], sums.outside_values, sums.nanoseconds, reason.outside);
  return reason;
}

stats::HardwareDetailStats read_detail(const Node& node, Report& report, ReportSums& sums) {
  static constexpr std::array<std::string_view, 2> name{"device", "register"};
  node.expect_members({"kind", "value", "direction", "width", "count", "timed", "out_of_guest"}, name);
  stats::HardwareDetailStats detail;
  detail.detail.kind = node["kind"].one_of<stats::HardwareDetail::Kind>(kind_names);
  detail.detail.value = node["value"].number();
  detail.detail.direction = node["direction"].one_of<Direction>(direction_names);
  detail.detail.width = node["width"].number<std::uint8_t>();
  detail.count = node["count"].number();
  detail.timed = node["timed"].number();
  detail.nanoseconds = node["out_of_guest"].number();
  sums.details.add(detail.count, node["count"]);
  sums.details.add(detail.timed, node["timed"]);
  sums.detail_times.add(detail.nanoseconds, node["out_of_guest"]);
  const auto device = node.find("device"), at = node.find("register");
  if (device.has_value() != at.has_value()) node.refuse("a device and a register come together");
  if (!device) return detail;
  const std::optional<stats::ExitKey> key = key_of(detail.detail);
  if (!key) device->refuse("only a port or an address has a device");
  report.set_name(*key, {device->text(), at->text()});
  return detail;
}

/// In ascending order, none twice.
template <typename Element, typename Identity>
void append(std::vector<Element>& list, Element element, const Node& node, Identity identity) {
  if (!list.empty() && !(identity(list.back()) < identity(element)))
    node.refuse("these come in ascending order, each once");
  list.push_back(std::move(element));
}

stats::TracedExits read_traced(const Node& node, Report& report, ReportSums& sums) {
  constexpr std::size_t most = std::size_t{1} << 17;
  node.expect_members({"vcpu", "vendor", "exits", "entries", "emulated", "without_reason", "without_detail",
                       "reasons", "details", "returns"});
  stats::TracedExits traced;
  traced.vendor = node["vendor"].one_of<stats::Vendor>(vendor_names);
  const auto bounded = [&](const char* member) {
    sums.others.add(node[member].number(), node[member]);
    return node[member].number();
  };
  traced.exits = bounded("exits");
  traced.entries = bounded("entries");
  traced.emulated = bounded("emulated");
  traced.without_reason = bounded("without_reason");
  traced.without_detail = bounded("without_detail");
  sums.counts.add(traced.without_reason, node["without_reason"]);
  for (const Node& each : node["reasons"].elements(most))
    append(traced.reasons, read_reason(each, sums), each, [](const auto& stats) { return stats.reason; });
  for (const Node& each : node["details"].elements(most))
    append(traced.details, read_detail(each, report, sums), each,
           [](const auto& stats) { return stats.detail; });
  for (const Node& each : node["returns"].elements(most)) {
    each.expect_members({"reason", "reason_name", "count"});
    sums.others.add(each["count"].number(), each["count"]);
    append(traced.returns, stats::ReturnCount{each["reason"].number<std::uint32_t>(), each["count"].number()},
           each, [](const auto& stats) { return stats.reason; });
  }
  return traced;
}

}  // namespace

WrittenJson write_hardware(const Report& report) {
  const stats::Snapshot& snapshot = report.snapshot;
  const auto traced = snapshot.traced();
  const auto accounting = hardware_accounting(snapshot);
  if (!traced || !accounting) return nullptr;
  WrittenJson vcpus = WrittenJson::array();
  for (const stats::VcpuSnapshot& vcpu : snapshot.vcpus) {
    if (vcpu.traced) vcpus.push_back(vcpu_value(report, vcpu));
  }
  const stats::TracerState tracer = snapshot.tracer.value_or(stats::TracerState{});
  return {{"unit", "nanoseconds"},
          {"exits", accounting->traced},
          {"kernel_exits", or_null(accounting->counted)},
          {"unexplained", or_null(accounting->unexplained())},
          {"to_userspace", accounting->to_userspace},
          {"kernel_handled", accounting->kernel_handled()},
          {"returns", accounting->returns},
          {"events_without_thread", tracer.events_without_thread},
          {"missed_events", tracer.missed_events},
          {"absent_events", tracer.absent_events},
          {"by_reason", by_reason(*traced)},
          {"vcpus", std::move(vcpus)}};
}

void read_hardware(const Node& node, Report& report) {
  constexpr std::size_t most_vcpus = std::size_t{1} << 16;
  constexpr std::size_t most_events = 1000;
  node.expect_members({"unit", "exits", "kernel_exits", "unexplained", "to_userspace", "kernel_handled",
                       "returns", "events_without_thread", "missed_events", "absent_events", "by_reason",
                       "vcpus"});
  if (node["unit"].text() != "nanoseconds") node["unit"].refuse("times are in nanoseconds");
  stats::TracerState& tracer = report.snapshot.tracer.emplace();
  tracer.events_without_thread = node["events_without_thread"].number();
  tracer.missed_events = node["missed_events"].number();
  for (const Node& event : node["absent_events"].elements(most_events))
    tracer.absent_events.push_back(event.text());
  ReportSums sums;
  for (const Node& each : node["vcpus"].elements(most_vcpus)) {
    stats::VcpuSnapshot& vcpu = vcpu_of(each, report);
    if (vcpu.traced) each["vcpu"].refuse("this vCPU comes twice");
    vcpu.traced = read_traced(each, report, sums);
  }
}

WrittenJson interval_hardware(const stats::Snapshot& interval) {
  const auto traced = interval.traced();
  const auto accounting = hardware_accounting(interval);
  if (!traced || !accounting) return nullptr;
  WrittenJson reasons = WrittenJson::array();
  for (const stats::HardwareReasonStats& reason : traced->reasons) {
    reasons.push_back({{"reason", reason.reason},
                       {"reason_name", stats::hardware_reason_name(traced->vendor, reason.reason)},
                       {"count", reason.count},
                       {"returned", reason.returned},
                       {"out_of_guest", reason.out_of_guest.sum},
                       {"outside", reason.outside.sum}});
  }
  return {{"unit", "nanoseconds"},
          {"vendor", name_of(traced->vendor)},
          {"exits", accounting->traced},
          {"unexplained", or_null(accounting->unexplained())},
          {"reasons", std::move(reasons)}};
}

}  // namespace kvmbench::report
