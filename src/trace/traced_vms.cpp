#include "trace/traced_vms.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "base/tsc.hpp"

namespace kvmbench::trace {
namespace {

stats::VcpuSnapshot& vcpu_numbered(stats::Snapshot& snapshot, std::uint32_t number) {
  const auto at = std::find_if(snapshot.vcpus.begin(), snapshot.vcpus.end(),
                               [=](const stats::VcpuSnapshot& vcpu) { return vcpu.vcpu == number; });
  if (at != snapshot.vcpus.end()) return *at;
  stats::VcpuSnapshot& made = snapshot.vcpus.emplace_back();
  made.vcpu = number;
  return made;
}

}  // namespace

TracedVm::TracedVm(ExitTracer& tracer, VmProcess process)
    : tracer_(tracer), process_(std::move(process)), counters_(process_) {
  tracer_.add(process_.process);
  take_counters(began_);
  began_.taken = read_tsc();
}

std::string TracedVm::title() const {
  const std::string& name = process_.name.empty() ? process_.program : process_.name;
  return fmt::format("{} {}", process_.process, name);
}

void TracedVm::take_counters(stats::Snapshot& snapshot) {
  snapshot.counters = counters_.vm();
  for (VmCounters::OfVcpu& vcpu : counters_.vcpus()) {
    stats::VcpuSnapshot& to = vcpu_numbered(snapshot, vcpu.id);
    add(to.counters, vcpu.counters);  // of several VMs in the process, those of the same number together
    to.kernel_exits = stats::value_of(to.counters, "exits");
  }
}

void TracedVm::look_again() {
  if (ended_) return;
  VmProcess now = find_vm(process_.process);
  if (now.vms.empty()) {
    // It is gone, or has closed its VM. What its descriptors counted can still be read: they are duplicates.
    ended_ = true;
    return;
  }
  (void)counters_.vm();  // those of debugfs go with the VM: what was read last stands
  const bool more = now.vcpu_counters.size() != process_.vcpu_counters.size() || now.vms != process_.vms;
  process_ = std::move(now);
  // Those that it had keep their place in the difference, as they count on from the same begin.
  if (more) counters_ = VmCounters(process_);
}

stats::Snapshot TracedVm::snapshot() {
  stats::Snapshot now;
  const auto threads = tracer_.memory().snapshot(tracer_.used(), process_.process);
  take_counters(now);
  now.tracer = {tracer_.events_without_thread(), tracer_.missed_events(), tracer_.absent_events()};
  for (const VmProcess::Vcpu& vcpu : process_.vcpus) vcpu_numbered(now, vcpu.id);
  for (const TracedThread& thread : threads) {
    // Without an exit a thread's vCPU is not known: with one vCPU it is that one.
    std::uint32_t number = thread.vcpu.value_or(0);
    if (!thread.vcpu && process_.vcpus.size() == 1) number = process_.vcpus.front().id;
    auto& traced = vcpu_numbered(now, number).traced;
    if (!traced) traced.emplace();
    *traced += thread.exits;
  }
  for (stats::VcpuSnapshot& vcpu : now.vcpus) {
    if (!vcpu.traced) vcpu.traced.emplace();
  }
  std::sort(now.vcpus.begin(), now.vcpus.end(), [](const auto& a, const auto& b) { return a.vcpu < b.vcpu; });
  now.taken = read_tsc();
  now.phases = {stats::Phase{{}, began_.taken}};
  return now - began_;
}

}  // namespace kvmbench::trace
