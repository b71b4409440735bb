#include "report/counter_tables.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/kernel_cells.hpp"
#include "report/units.hpp"

namespace kvmbench::report {
namespace {

using namespace cells;
using stats::KernelCounter;

/// What one of the counter's figures stands for: 1e-9 of Unit::seconds with exponent -9.
double scale_of(const KernelCounter& counter) {
  return std::pow(counter.base, counter.exponent);
}

std::string value_in_words(const KernelCounter& counter, std::uint64_t value) {
  const double scaled = static_cast<double>(value) * scale_of(counter);
  switch (counter.unit) {
    case KernelCounter::Unit::seconds:
      return duration(scaled);
    case KernelCounter::Unit::boolean:
      return value == 0 ? "no" : grouped(value) == "1" ? "yes" : grouped(value);
    case KernelCounter::Unit::bytes:
      return (counter.exponent == 0 ? grouped(value) : fmt::format("{:.0f}", scaled)) + " bytes";
    case KernelCounter::Unit::cycles:
      return (counter.exponent == 0 ? grouped(value) : fmt::format("{:.0f}", scaled)) + " cycles";
    case KernelCounter::Unit::none:
      break;
  }
  return counter.exponent == 0 ? grouped(value) : fmt::format("{}", scaled);
}

/// A boolean that several vCPUs have added up is a number.
void add_values(PlainTable& table, const stats::KernelCounters& counters, const char* of) {
  for (const KernelCounter& counter : counters) {
    if (counter.is_histogram() || counter.values.size() != 1 || counter.total() == 0) continue;
    table.rows.push_back({words(of), words(counter.name),
                          figure(value_in_words(counter, counter.values.front()), counter.values.front())});
  }
}

void add_buckets(PlainTable& table, const stats::KernelCounters& counters, const char* of) {
  for (const KernelCounter& counter : counters) {
    if (!counter.is_histogram()) continue;
    for (std::size_t i = 0; i < counter.values.size(); ++i) {
      if (counter.values[i] == 0) continue;
      const bool last = i + 1 == counter.values.size();
      const std::string from = value_in_words(counter, counter.lower_bound(i));
      table.rows.push_back(
          {words(of), words(counter.name),
           words(last ? "from " + from
                      : fmt::format("{} to {}", from, value_in_words(counter, counter.lower_bound(i + 1)))),
           count(counter.values[i])});
    }
  }
}

}  // namespace

std::vector<PlainTable> counter_tables(const stats::Snapshot& snapshot) {
  std::vector<PlainTable> tables;
  const stats::KernelCounters vcpus = snapshot.vcpu_counters();
  PlainTable values{
      "kernel-counters",
      "What KVM itself counted",
      {{"of", true, 1}, {"counter", true}, {"value"}},
      {},
      {},
      {"Counters are KVM's own (KVM_GET_STATS_FD), by its names; those of the vCPUs are added up, "
       "those that are 0 left out."}};
  add_values(values, vcpus, "vCPUs");
  add_values(values, snapshot.counters, "VM");
  if (!values.rows.empty()) tables.push_back(std::move(values));

  PlainTable buckets{"kernel-histograms",
                     "KVM's own histograms",
                     {{"of", true, 1}, {"counter", true}, {"range", true}, {"count"}},
                     {},
                     {},
                     {}};
  add_buckets(buckets, vcpus, "vCPUs");
  add_buckets(buckets, snapshot.counters, "VM");
  if (!buckets.rows.empty()) tables.push_back(std::move(buckets));
  return tables;
}

}  // namespace kvmbench::report
