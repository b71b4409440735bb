#include "report/json_kernel.hpp"

#include <algorithm>
#include <set>

namespace kvmbench::report {
namespace {

using stats::KernelCounter;
using stats::KernelCounters;

constexpr std::array<std::string_view, 5> type_names{"cumulative", "instant", "peak", "linear_histogram",
                                                     "log_histogram"};
constexpr std::array<std::string_view, 5> unit_names{"none", "bytes", "seconds", "cycles", "boolean"};

WrittenJson counters_value(const KernelCounters& counters) {
  WrittenJson value = WrittenJson::array();
  for (const KernelCounter& counter : counters) {
    value.push_back({{"name", counter.name},
                     {"type", type_names[static_cast<std::size_t>(counter.type)]},
                     {"unit", unit_names[static_cast<std::size_t>(counter.unit)]},
                     {"base", counter.base},
                     {"exponent", counter.exponent},
                     {"bucket_size", counter.bucket_size},
                     {"values", counter.values}});
  }
  return value;
}

KernelCounter read_counter(const Node& node) {
  constexpr std::size_t most_values = 4096;
  constexpr int most_exponent = 100;
  node.expect_members({"name", "type", "unit", "base", "exponent", "bucket_size", "values"});
  KernelCounter counter;
  counter.name = node["name"].text();
  counter.type = node["type"].one_of<KernelCounter::Type>(type_names);
  counter.unit = node["unit"].one_of<KernelCounter::Unit>(unit_names);
  counter.base = node["base"].number<std::uint8_t>(10, 2);
  if (counter.base != 2 && counter.base != 10) node["base"].refuse("a base is 2 or 10");
  const int exponent = node["exponent"].status();
  if (exponent < -most_exponent || exponent > most_exponent) node["exponent"].refuse("no exponent of a unit");
  counter.exponent = static_cast<std::int16_t>(exponent);
  counter.bucket_size = node["bucket_size"].number<std::uint32_t>();
  for (const Node& value : node["values"].elements(most_values))
    counter.values.push_back(value.number(most_of_a_counter));
  if (counter.values.empty() || (!counter.is_histogram() && counter.values.size() != 1))
    node["values"].refuse("a counter has one value, a histogram one a bucket");
  return counter;
}

KernelCounters read_counters(const Node& node) {
  constexpr std::size_t most_counters = 10'000;
  KernelCounters counters;
  std::set<stats::CounterIdentity> seen;
  for (const Node& each : node.elements(most_counters)) {
    counters.push_back(read_counter(each));
    if (!seen.insert(stats::identity_of(counters.back())).second) each.refuse("this counter comes twice");
  }
  return counters;
}

}  // namespace

stats::VcpuSnapshot& vcpu_of(const Node& node, Report& report) {
  const auto number = node["vcpu"].number<std::uint32_t>();
  auto& vcpus = report.snapshot.vcpus;
  const auto at = std::find_if(vcpus.begin(), vcpus.end(),
                               [=](const stats::VcpuSnapshot& vcpu) { return vcpu.vcpu == number; });
  if (at == vcpus.end()) node["vcpu"].refuse("there is no such vCPU");
  return *at;
}

WrittenJson write_kernel(const Report& report) {
  const stats::Snapshot& snapshot = report.snapshot;
  WrittenJson vcpus = WrittenJson::array();
  bool any = !snapshot.counters.empty();
  for (const stats::VcpuSnapshot& vcpu : snapshot.vcpus) {
    if (vcpu.counters.empty()) continue;
    any = true;
    vcpus.push_back({{"vcpu", vcpu.vcpu}, {"counters", counters_value(vcpu.counters)}});
  }
  if (!any) return nullptr;
  return {{"vm", counters_value(snapshot.counters)}, {"vcpus", std::move(vcpus)}};
}

void read_kernel(const Node& node, Report& report) {
  constexpr std::size_t most_vcpus = std::size_t{1} << 16;
  node.expect_members({"vm", "vcpus"});
  report.snapshot.counters = read_counters(node["vm"]);
  for (const Node& each : node["vcpus"].elements(most_vcpus)) {
    each.expect_members({"vcpu", "counters"});
    stats::VcpuSnapshot& vcpu = vcpu_of(each, report);
    if (!vcpu.counters.empty()) each["vcpu"].refuse("this vCPU comes twice");
    vcpu.counters = read_counters(each["counters"]);
  }
}

WrittenJson interval_counters(const stats::Snapshot& interval) {
  WrittenJson value = WrittenJson::object();
  const auto add = [&value](const KernelCounters& counters) {
    for (const KernelCounter& counter : counters) {
      if (counter.total() == 0) continue;
      value[counter.name] =
          counter.is_histogram() ? WrittenJson(counter.values) : WrittenJson(counter.values.front());
    }
  };
  add(interval.vcpu_counters());
  add(interval.counters);
  return value;
}

}  // namespace kvmbench::report
