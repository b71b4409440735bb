#include "stats/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace kvmbench::stats {

KeyStats& KeyStats::operator+=(const KeyStats& other) noexcept {
  count += other.count;
  transfers += other.transfers;
  service += other.service;
  run += other.run;
  return *this;
}

KeyStats& KeyStats::operator-=(const KeyStats& earlier) noexcept {
  count -= earlier.count;
  transfers -= earlier.transfers;
  service -= earlier.service;
  run -= earlier.run;
  return *this;
}

std::string PhaseLabel::name() const {
  switch (kind) {
    case Kind::start:
      return "start";
    case Kind::post_code:
      return fmt::format("post {:#04x}", value);
    case Kind::mark:
      return fmt::format("mark {:#x}", value);
    case Kind::named:
      return text;
    case Kind::userspace_output:
      return "userspace output";
    case Kind::serial_match:
      return "serial /" + text + "/";
    case Kind::power_off:
      return "power-off";
    case Kind::further:
      return "further phases";
  }
  return {};
}

std::uint64_t Snapshot::exits() const noexcept {
  std::uint64_t all = 0;
  for (const VcpuSnapshot& vcpu : vcpus) all += vcpu.exits;
  return all;
}

std::optional<std::uint64_t> Snapshot::kernel_exits() const noexcept {
  std::uint64_t all = 0;
  for (const VcpuSnapshot& vcpu : vcpus) {
    if (!vcpu.kernel_exits) return std::nullopt;
    all += *vcpu.kernel_exits;
  }
  return all;
}

std::optional<TracedExits> Snapshot::traced() const {
  std::optional<TracedExits> sums;
  for (const VcpuSnapshot& vcpu : vcpus) {
    if (!vcpu.traced) continue;
    if (!sums) sums.emplace();
    *sums += *vcpu.traced;
  }
  return sums;
}

KernelCounters Snapshot::vcpu_counters() const {
  KernelCounters sums;
  for (const VcpuSnapshot& vcpu : vcpus) add(sums, vcpu.counters);
  return sums;
}

namespace {

/// A KeyStats is some 10 KiB: it is sorted by reference.
struct KeyRef {
  ExitKey key;
  const KeyStats* stats;
};

bool before(const KeyRef& a, const KeyRef& b) noexcept {
  const auto order = [](const ExitKey& key) {
    return std::tie(key.phase, key.reason, key.address, key.width, key.direction);
  };
  return order(a.key) < order(b.key);
}

void append(std::vector<KeyRef>& refs, const VcpuSnapshot& vcpu, Phases phases) {
  for (const KeyStats& stats : vcpu.keys) {
    KeyRef& ref = refs.emplace_back(KeyRef{stats.key, &stats});
    if (phases == Phases::merged) ref.key.phase = 0;
  }
}

bool grew(const KeyStats& difference) noexcept {
  return difference.count != 0 || difference.transfers != 0 || difference.service.count() != 0 ||
         difference.run.count() != 0 || difference.service.sum != 0 || difference.run.sum != 0;
}

VcpuSnapshot difference(const VcpuSnapshot& later, const VcpuSnapshot& earlier) {
  VcpuSnapshot result;
  result.vcpu = later.vcpu;
  result.exits = later.exits - earlier.exits;
  if (later.kernel_exits && earlier.kernel_exits) {
    result.kernel_exits = *later.kernel_exits - *earlier.kernel_exits;
  }
  result.counters = later.counters - earlier.counters;
  if (later.traced) {
    result.traced = later.traced;
    if (earlier.traced) *result.traced -= *earlier.traced;
  }
  result.sites = grown_sites(later.sites, earlier.sites);
  std::vector<KeyRef> known;
  append(known, earlier, Phases::kept);
  std::sort(known.begin(), known.end(), before);
  for (const KeyStats& stats : later.keys) {
    const KeyRef sought{stats.key, nullptr};
    const auto at = std::lower_bound(known.begin(), known.end(), sought, before);
    KeyStats& grown = result.keys.emplace_back(stats);
    if (at != known.end() && at->key == stats.key) grown -= *at->stats;
    if (!grew(grown)) result.keys.pop_back();
  }
  return result;
}

/// What `earlier` has counted under that name.
std::uint64_t count_of(const std::vector<DeviceOperations>& earlier, const std::string& device,
                       const std::string& operation) {
  for (const DeviceOperations& known : earlier) {
    if (known.device != device) continue;
    for (const OperationCount& count : known.counts) {
      if (count.name == operation) return count.count;
    }
  }
  return 0;
}

std::vector<DeviceOperations> difference(const std::vector<DeviceOperations>& later,
                                         const std::vector<DeviceOperations>& earlier) {
  std::vector<DeviceOperations> result;
  for (const DeviceOperations& device : later) {
    DeviceOperations grown{device.device, {}};
    for (const OperationCount& operation : device.counts) {
      const std::uint64_t more = operation.count - count_of(earlier, device.device, operation.name);
      if (more != 0) grown.counts.push_back({operation.name, more});
    }
    if (!grown.counts.empty()) result.push_back(std::move(grown));
  }
  return result;
}

}  // namespace

std::vector<KeyStats> by_key(const Snapshot& snapshot, Phases phases) {
  std::vector<KeyRef> refs;
  for (const VcpuSnapshot& vcpu : snapshot.vcpus) append(refs, vcpu, phases);
  std::sort(refs.begin(), refs.end(), before);
  std::vector<KeyStats> sums;
  for (const KeyRef& ref : refs) {
    if (!sums.empty() && sums.back().key == ref.key) {
      sums.back() += *ref.stats;
    } else {
      sums.push_back(*ref.stats);
      sums.back().key = ref.key;
    }
  }
  return sums;
}

std::vector<ReasonStats> by_reason(const std::vector<KeyStats>& keys) {
  std::vector<ReasonStats> sums;
  for (const KeyStats& stats : keys) {
    const auto not_before = [](const ReasonStats& sum, std::uint32_t reason) { return sum.reason < reason; };
    auto at = std::lower_bound(sums.begin(), sums.end(), stats.key.reason, not_before);
    if (at == sums.end() || at->reason != stats.key.reason) {
      at = sums.insert(at, ReasonStats{stats.key.reason, 0, 0, {}, {}});
    }
    at->count += stats.count;
    at->transfers += stats.transfers;
    at->service += stats.service;
    at->run += stats.run;
  }
  return sums;
}

Snapshot operator-(const Snapshot& later, const Snapshot& earlier) {
  Snapshot result{earlier.taken, later.taken, later.tsc_khz, later.phases, {}};
  result.operations = difference(later.operations, earlier.operations);
  result.counters = later.counters - earlier.counters;
  result.tracer = later.tracer;
  if (later.tracer && earlier.tracer) {
    result.tracer->events_without_thread -= earlier.tracer->events_without_thread;
    result.tracer->missed_events -= earlier.tracer->missed_events;
  }
  for (const VcpuSnapshot& vcpu : later.vcpus) {
    const auto at = std::find_if(earlier.vcpus.begin(), earlier.vcpus.end(),
                                 [&](const VcpuSnapshot& known) { return known.vcpu == vcpu.vcpu; });
    result.vcpus.push_back(at == earlier.vcpus.end() ? vcpu : difference(vcpu, *at));
  }
  return result;
}

}  // namespace kvmbench::stats
