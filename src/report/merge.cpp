#include "report/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "report/merge_times.hpp"

namespace kvmbench::report {
namespace {

constexpr const char* various = "(various)";
constexpr std::size_t most_guarded = 10'000;        // ranges of memory
constexpr std::size_t most = std::size_t{1} << 16;  // keys of a vCPU, phases, vCPUs: as a report may have

/// Whole multiples of 2^-20 s: their sums are exact, in whatever order, for two hundred years.
double to_microseconds(double seconds) {
  constexpr double steps = 1 << 20, longest = 1e9;
  return std::round(std::min(seconds, longest) * steps) / steps;
}

std::string same_or_various(const std::string& left, const std::string& right) {
  return left == right ? left : various;
}

using Values = std::map<std::string, std::vector<std::string>>;

Values by_name(const Facts& facts) {
  Values values;
  for (const auto& [name, value] : facts) values[name].push_back(value);
  return values;
}

/// In their order where all have the same facts, else by name.
Facts merged(const Facts& left, const Facts& right) {
  if (left == right) return left;
  const Values a = by_name(left), b = by_name(right);
  std::set<std::string> names;
  for (const Values* values : {&a, &b}) {
    for (const auto& [name, ignored] : *values) names.insert(name);
  }
  Facts facts;
  for (const std::string& name : names) {
    const auto in_a = a.find(name), in_b = b.find(name);
    if (in_a == a.end() || in_b == b.end() || in_a->second != in_b->second) {
      facts.emplace_back(name, various);
    } else {
      for (const std::string& value : in_a->second) facts.emplace_back(name, value);
    }
  }
  return facts;
}

stats::Cycles since(stats::Cycles began, stats::Cycles then) {
  return then < began ? 0 : then - began;
}

}  // namespace

bool Merger::LabelOrder::operator()(const stats::PhaseLabel& left,
                                    const stats::PhaseLabel& right) const noexcept {
  return std::tie(left.kind, left.value, left.text) < std::tie(right.kind, right.value, right.text);
}

void Merger::add(const Report& report, const std::string& name) {
  add_totals(report, name);
  add_facts(report);
  const std::vector<std::uint16_t> phases = add_phases(report, name);
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    Vcpu& sum = vcpus_[vcpu.vcpu];
    add_vcpu(vcpu, phases, sum);
    if (sum.keys.size() > most || vcpus_.size() > most)
      throw UsageError(fmt::format("{}: with it there are more keys or vCPUs than a report may have", name));
  }
  add_symbols(report);
  add_counters(report, name);
  hardware_.add(report, name);
  add_names(report);
  add_operations(report);
  add_guarded_memory(report);
  if (guarded_.size() > most_guarded)
    throw UsageError(fmt::format("{}: with it there are more guarded ranges than a report may have", name));
  empty_ = false;
}

void Merger::add_totals(const Report& report, const std::string& name) {
  constexpr double measuring_error = 0.001;
  const std::uint64_t khz = report.snapshot.tsc_khz;
  khz_least_ = empty_ ? khz : std::min(khz_least_, khz);
  sum_.snapshot.tsc_khz = std::max(sum_.snapshot.tsc_khz, khz);
  if (static_cast<double>(sum_.snapshot.tsc_khz - khz_least_) >
      measuring_error * static_cast<double>(sum_.snapshot.tsc_khz)) {
    throw UsageError(
        fmt::format("{}: its TSC runs at {} kHz, that of others at {}: their cycles do not add up", name, khz,
                    khz == khz_least_ ? sum_.snapshot.tsc_khz : khz_least_));
  }
  const auto add_to = [&name](std::uint64_t& sum, std::uint64_t more) {
    if (__builtin_add_overflow(sum, more, &sum))
      throw UsageError(fmt::format("{}: with it a sum passes 2^64", name));
  };
  add_to(totals_.runs, report.runs);
  add_to(totals_.cycles, since(report.snapshot.began, report.snapshot.taken));
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    add_to(totals_.exits, vcpu.exits);
    add_to(totals_.kernel_exits, vcpu.kernel_exits.value_or(0));
    for (const stats::KeyStats& key : vcpu.keys) {
      add_to(totals_.counts, key.count);
      add_to(totals_.transfers, key.transfers);
      add_to(totals_.services, key.service.count());
      add_to(totals_.run_times, key.run.count());
      add_to(totals_.key_cycles, key.service.sum);
      add_to(totals_.key_cycles, key.run.sum);
    }
    for (const stats::SiteStats& site : vcpu.sites) {
      add_to(totals_.sites, site.count);
      add_to(totals_.site_cycles, site.service);
    }
  }
  for (const stats::DeviceOperations& device : report.snapshot.operations) {
    for (const stats::OperationCount& operation : device.counts) add_to(totals_.operations, operation.count);
  }
  for (const stats::GuardedMemory& range : report.guarded.ranges) {
    for (const std::uint64_t count : {range.reads, range.writes, range.told}) add_to(totals_.guarded, count);
  }
  add_to(totals_.unlisted, report.guarded.further);
  add_to(totals_.unlisted, report.guarded.accesses.size());
}

void Merger::add_facts(const Report& report) {
  sum_.wall_seconds += to_microseconds(report.wall_seconds);
  std::set<std::string> devices(sum_.devices.begin(), sum_.devices.end());
  devices.insert(report.devices.begin(), report.devices.end());
  sum_.devices.assign(devices.begin(), devices.end());
  if (empty_) {
    sum_.kvmbench_version = report.kvmbench_version;
    sum_.started = report.started;
    sum_.host = report.host;
    sum_.machine = report.machine;
    sum_.ending = report.ending;
    sum_.exit_status = report.exit_status;
    return;
  }
  sum_.kvmbench_version = same_or_various(sum_.kvmbench_version, report.kvmbench_version);
  sum_.started = std::min(sum_.started, report.started);
  sum_.host = merged(sum_.host, report.host);
  sum_.machine = merged(sum_.machine, report.machine);
  sum_.ending = same_or_various(sum_.ending, report.ending);
  sum_.exit_status = std::max(sum_.exit_status, report.exit_status);
}

std::vector<std::uint16_t> Merger::add_phases(const Report& report, const std::string& name) {
  std::vector<std::uint16_t> indices;
  for (const stats::Phase& phase : report.snapshot.phases) {
    const stats::Cycles began = since(report.snapshot.began, phase.first_began);
    const auto index = static_cast<std::uint16_t>(phases_.size());
    const auto [at, is_new] = phases_.try_emplace(phase.label, Phase{index, began});
    if (is_new && phases_.size() > most)
      throw UsageError(fmt::format("{}: with it there are more phases than a report may have", name));
    at->second.first_began = std::min(at->second.first_began, began);
    indices.push_back(at->second.index);
  }
  return indices;
}

void Merger::add_vcpu(const stats::VcpuSnapshot& vcpu, const std::vector<std::uint16_t>& phases, Vcpu& sum) {
  sum.exits += vcpu.exits;
  if (sum.kernel_exits && vcpu.kernel_exits) {
    *sum.kernel_exits += *vcpu.kernel_exits;
  } else {
    sum.kernel_exits.reset();
  }
  sum.sites.insert(sum.sites.end(), vcpu.sites.begin(), vcpu.sites.end());
  sum.sites = stats::by_site(sum.sites);
  for (const stats::KeyStats& key : vcpu.keys) {
    stats::ExitKey here = key.key;
    here.phase = phases.at(key.key.phase);
    stats::KeyStats& stats = sum.keys[here];
    stats.count += key.count;
    stats.transfers += key.transfers;
    add_saved(stats.service, key.service);
    add_saved(stats.run, key.run);
  }
}

void Merger::add_counters(const Report& report, const std::string& name) {
  bool fits = counters_.add(report.snapshot.counters);
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus)
    fits = vcpus_[vcpu.vcpu].counters.add(vcpu.counters) && fits;
  if (!fits)
    throw UsageError(
        fmt::format("{}: with it a counter of the kernel's passes what a report may have", name));
}

void Merger::add_names(const Report& report) {
  std::set<stats::ExitKey, KeyOrder> seen;
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) {
      stats::ExitKey without_phase = key.key;
      without_phase.phase = 0;
      if (!seen.insert(without_phase).second) continue;
      const KeyName name = report.name_of(key.key);
      const auto [at, is_new] = names_.try_emplace(without_phase, name);
      if (!is_new && at->second != name) at->second = {various, various};
    }
  }
}

void Merger::add_operations(const Report& report) {
  for (const stats::DeviceOperations& device : report.snapshot.operations) {
    auto& counts = operations_[device.device];
    for (const stats::OperationCount& operation : device.counts) counts[operation.name] += operation.count;
  }
}

void Merger::add_guarded_memory(const Report& report) {
  for (const stats::GuardedMemory& range : report.guarded.ranges) {
    const auto [at, is_new] = guarded_.try_emplace({range.first, range.last, range.rule}, range);
    if (is_new) continue;
    at->second.reads += range.reads;
    at->second.writes += range.writes;
    at->second.told += range.told;
  }
}

void Merger::add_symbols(const Report& report) {
  for (const auto& [rip, symbol] : report.symbols) {
    const auto [at, is_new] = sum_.symbols.try_emplace(rip, symbol);
    if (!is_new) at->second = same_or_various(at->second, symbol);
  }
}

void Merger::take_phases_and_vcpus() {
  std::vector<std::uint16_t> places(phases_.size());
  for (const auto& [label, phase] : phases_) {
    places[phase.index] = static_cast<std::uint16_t>(sum_.snapshot.phases.size());
    sum_.snapshot.phases.push_back({label, phase.first_began});
  }
  for (auto& [number, vcpu] : vcpus_) {
    stats::VcpuSnapshot& taken = sum_.snapshot.vcpus.emplace_back();
    taken.vcpu = number;
    taken.exits = vcpu.exits;
    taken.kernel_exits = vcpu.kernel_exits;
    taken.sites = vcpu.sites;
    taken.counters = vcpu.counters.take();
    taken.traced = hardware_.take(number);
    std::map<stats::ExitKey, const stats::KeyStats*, KeyOrder> ordered;
    for (const auto& [key, stats] : vcpu.keys) {
      stats::ExitKey placed = key;
      placed.phase = places[key.phase];
      ordered.emplace(placed, &stats);
    }
    taken.keys.reserve(ordered.size());
    for (const auto& [key, stats] : ordered) {
      taken.keys.push_back(*stats);
      taken.keys.back().key = key;
    }
  }
}

Report Merger::take() {
  sum_.runs = totals_.runs;
  sum_.snapshot.began = 0;
  sum_.snapshot.taken = totals_.cycles;
  sum_.snapshot.counters = counters_.take();
  sum_.snapshot.tracer = hardware_.take_tracer();
  take_phases_and_vcpus();
  for (const auto& [key, name] : names_) sum_.set_name(key, name);
  for (const auto& [place, range] : guarded_) sum_.guarded.ranges.push_back(range);
  sum_.guarded.further = totals_.unlisted;
  for (const auto& [device, counts] : operations_) {
    stats::DeviceOperations& taken =
        sum_.snapshot.operations.emplace_back(stats::DeviceOperations{device, {}});
    for (const auto& [operation, count] : counts) taken.counts.push_back({operation, count});
  }
  return std::move(sum_);
}

}  // namespace kvmbench::report
