#include "cli/traced_host.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "cli/vm_choice.hpp"
#include "vmm/host_facts.hpp"

namespace kvmbench::cli {
namespace {

using std::chrono::steady_clock;

trace::TracerRoom room_for(const TraceOptions& options, const std::vector<trace::VmProcess>& chosen) {
  constexpr std::uint32_t for_those_to_come = 16, of_a_whole_host = 256;
  std::size_t vcpus = options.all ? of_a_whole_host : for_those_to_come;
  for (const trace::VmProcess& process : chosen) vcpus += process.vcpus.size();
  return trace::TracerRoom::for_vcpus(static_cast<std::uint32_t>(vcpus));
}

}  // namespace

TracedHost::TracedHost(const TraceOptions& options, Notice notice)
    : options_(options),
      notice_(std::move(notice)),
      chosen_(chosen_vms(options)),
      tracer_(trace::ExitTracer::Whose::chosen_processes, room_for(options, chosen_)),
      began_(steady_clock::now()),
      started_(fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))) {
  for (const trace::VmProcess& process : chosen_) add(process);
}

void TracedHost::add(trace::VmProcess process) {
  if (process.process == ::getpid()) return;
  vms_.push_back({trace::TracedVm(tracer_, std::move(process)), {}});
}

void TracedHost::look_again() {
  for (Vm& vm : vms_) {
    const bool ended = vm.traced.ended();
    vm.traced.look_again();
    if (vm.traced.ended() && !ended)
      notice_(fmt::format("the VM of process {} has ended", vm.traced.title()));
  }
  if (!options_.all) return;
  for (trace::VmProcess& process : trace::find_vms().processes) {
    const bool known = std::any_of(vms_.begin(), vms_.end(), [&](const Vm& vm) {
      return vm.traced.process().process == process.process && !vm.traced.ended();
    });
    if (known) continue;
    notice_(fmt::format("a VM has started: process {}", process.process));
    add(std::move(process));
  }
}

bool TracedHost::all_ended() const {
  return !options_.all &&
         std::all_of(vms_.begin(), vms_.end(), [](const Vm& vm) { return vm.traced.ended(); });
}

double TracedHost::seconds() const {
  return std::chrono::duration<double>(steady_clock::now() - began_).count();
}

std::vector<report::Report> TracedHost::reports(double wall_seconds) {
  std::vector<report::Report> reports;
  for (Vm& vm : vms_) reports.push_back(report_of(vm.traced, wall_seconds));
  return reports;
}

report::Report TracedHost::report_of(trace::TracedVm& vm, double wall_seconds) const {
  report::Report report;
  report.kvmbench_version = KVMBENCH_VERSION;
  report.started = started_;
  report.wall_seconds = wall_seconds;
  report.host = host_facts();
  const trace::VmProcess& process = vm.process();
  report.machine = {{"process", fmt::to_string(process.process)},
                    {"program", process.program},
                    {"vcpus", fmt::to_string(process.vcpus.size())},
                    {"kernel's counters", vm.counter_source()}};
  if (!process.name.empty()) report.machine.emplace_back("name", process.name);
  if (process.vms.size() > 1) {
    report.machine.emplace_back("VMs", fmt::format("{}, not told apart", process.vms.size()));
  }
  report.ending = vm.ended() ? "traced until the VM ended" : "traced";
  report.snapshot = vm.snapshot();
  return report;
}

}  // namespace kvmbench::cli
