#include "cli/trace.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <deque>

#include "base/error.hpp"
#include "cli/report_output.hpp"
#include "cli/standard_streams.hpp"
#include "report/growth_table.hpp"
#include "report/printable.hpp"
#include "report/text_table.hpp"
#include "report/units.hpp"
#include "trace/traced_vms.hpp"
#include "vmm/host_facts.hpp"

namespace kvmbench::cli {
namespace {

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::string name_of(const trace::VmProcess& process) {
  return process.name.empty() ? "-" : process.name;
}

void print_list(const trace::VmProcesses& found) {
  using report::TextColumn;
  report::TextTable table({{.title = "PID", .align = TextColumn::Align::right},
                           {.title = "name", .align = TextColumn::Align::left},
                           {.title = "program", .align = TextColumn::Align::left},
                           {.title = "VMs"},
                           {.title = "vCPUs"}});
  for (const trace::VmProcess& process : found.processes) {
    table.add({fmt::to_string(process.process), report::printable(name_of(process)),
               report::printable(process.program), fmt::to_string(process.vms.size()),
               fmt::to_string(process.vcpus.size())});
  }
  if (found.processes.empty()) {
    write_stdout("No process that can be looked into has a VM.\n");
  } else {
    write_stdout(table.render(render_options(true, false).width, false));
  }
  if (found.closed != 0)
    tell(fmt::format("{} processes may not be looked into: it takes CAP_SYS_PTRACE", found.closed));
}

UsageError with_list(const std::string& problem, const trace::VmProcesses& found) {
  std::string names;
  for (const trace::VmProcess& process : found.processes)
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", process.process,
                         report::printable(name_of(process)));
  return UsageError(fmt::format("{}; there {} {}", problem, found.processes.size() == 1 ? "is" : "are",
                                names.empty() ? "none that can be seen (kvmbench trace --list)" : names));
}

/// Those that the options mean.
std::vector<trace::VmProcess> chosen(const TraceOptions& options) {
  if (options.process) {
    trace::VmProcess process = trace::find_vm(*options.process);
    if (process.vms.empty())
      throw with_list(fmt::format("-p {}: this process has no VM", *options.process), trace::find_vms());
    return {process};
  }
  trace::VmProcesses found = trace::find_vms();
  if (options.all) return std::move(found.processes);
  if (!options.name) {
    if (found.processes.size() == 1) return std::move(found.processes);
    throw with_list("say which VM to trace, by -p PID, --vm NAME or --all", found);
  }
  std::vector<trace::VmProcess> named;
  for (const trace::VmProcess& process : found.processes) {
    if (process.name == *options.name) named.push_back(process);
  }
  if (named.size() != 1) {
    throw with_list(
        fmt::format("--vm {}: {} VMs have this name", report::printable(*options.name), named.size()), found);
  }
  return named;
}

/// Signals that end a trace are waited for, not handled.
class EndSignals final {
 public:
  EndSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  /// Whether one came before `until`.
  [[nodiscard]] bool wait(steady_clock::time_point until) const {
    const auto left = std::max(until - steady_clock::now(), steady_clock::duration::zero());
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec time{
        .tv_sec = whole.count(),
        .tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(left - whole).count()};
    return ::sigtimedwait(&set_, nullptr, &time) > 0;
  }

 private:
  sigset_t set_{}, before_{};
};

class Tracing final {
 public:
  explicit Tracing(const TraceOptions& options)
      : options_(options),
        tracer_(trace::ExitTracer::Whose::chosen_processes, room_for(options)),
        began_(steady_clock::now()),
        started_(fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))) {
    for (trace::VmProcess& process : chosen(options)) add(std::move(process));
  }

  void run() {
    const EndSignals signals;
    const auto end =
        options_.duration > 0 ? began_ + to_duration(options_.duration) : steady_clock::time_point::max();
    const auto step = to_duration(options_.interval > 0 ? std::min(options_.interval, 1.0) : 1.0);
    auto next_sample =
        options_.interval > 0 ? began_ + to_duration(options_.interval) : steady_clock::time_point::max();
    while (steady_clock::now() < end && !all_ended()) {
      if (signals.wait(std::min({end, next_sample, steady_clock::now() + step}))) break;
      look_again();
      if (steady_clock::now() < next_sample) continue;
      print_sample();
      next_sample += to_duration(options_.interval);
    }
    wall_seconds_ = Seconds(steady_clock::now() - began_).count();
  }

  [[nodiscard]] std::vector<report::Report> reports() {
    std::vector<report::Report> reports;
    for (Vm& vm : vms_) reports.push_back(report_of(vm.traced));
    return reports;
  }

 private:
  struct Vm {
    trace::TracedVm traced;
    stats::Snapshot sampled;
  };

  static trace::TracerRoom room_for(const TraceOptions& options) {
    constexpr std::uint32_t for_those_to_come = 16, of_a_whole_host = 256;
    std::size_t vcpus = options.all ? of_a_whole_host : for_those_to_come;
    for (const trace::VmProcess& process : chosen(options)) vcpus += process.vcpus.size();
    return trace::TracerRoom::for_vcpus(static_cast<std::uint32_t>(vcpus));
  }

  static steady_clock::duration to_duration(double seconds) {
    return std::chrono::duration_cast<steady_clock::duration>(Seconds(seconds));
  }

  void add(trace::VmProcess process) {
    if (process.process == ::getpid()) return;
    vms_.push_back({trace::TracedVm(tracer_, std::move(process)), {}});
  }

  void look_again() {
    for (Vm& vm : vms_) {
      const bool ended = vm.traced.ended();
      vm.traced.look_again();
      if (vm.traced.ended() && !ended) tell(fmt::format("the VM of process {} has ended", vm.traced.title()));
    }
    if (!options_.all) return;
    for (trace::VmProcess& process : trace::find_vms().processes) {
      const bool known = std::any_of(vms_.begin(), vms_.end(), [&](const Vm& vm) {
        return vm.traced.process().process == process.process && !vm.traced.ended();
      });
      if (known) continue;
      tell(fmt::format("a VM has started: process {}", process.process));
      add(std::move(process));
    }
  }

  [[nodiscard]] bool all_ended() const {
    return !options_.all &&
           std::all_of(vms_.begin(), vms_.end(), [](const Vm& vm) { return vm.traced.ended(); });
  }

  void print_sample() {
    std::string text;
    for (Vm& vm : vms_) {
      stats::Snapshot now = vm.traced.snapshot();
      text += fmt::format("\n{} after {}\n", report::printable(vm.traced.title()),
                          report::duration(Seconds(steady_clock::now() - began_).count()));
      text += report::growth_table(now - vm.sampled, options_.interval)
                  .render(render_options(true, false).width, false);
      vm.sampled = std::move(now);
    }
    write_stdout(text);
  }

  [[nodiscard]] report::Report report_of(trace::TracedVm& vm) const {
    report::Report report;
    report.kvmbench_version = KVMBENCH_VERSION;
    report.started = started_;
    report.wall_seconds = wall_seconds_;
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

  const TraceOptions& options_;
  trace::ExitTracer tracer_;
  const steady_clock::time_point began_;
  const std::string started_;
  double wall_seconds_ = 0;
  std::deque<Vm> vms_;
};

/// With several VMs, each has a file of its own: "trace.json" becomes "trace.json.4711".
std::optional<std::string> file_of(const TraceOptions& options, std::size_t format,
                                   const report::Report& report, bool several) {
  if (format >= options.report_files.size()) return std::nullopt;
  const std::string& file = options.report_files[format];
  return several ? fmt::format("{}.{}", file, report.machine.front().second) : file;
}

}  // namespace

int trace(const TraceOptions& options) {
  if (options.list) {
    print_list(trace::find_vms());
    return 0;
  }
  Tracing tracing(options);
  tracing.run();
  const std::vector<report::Report> reports = tracing.reports();
  for (const report::Report& report : reports) {
    for (std::size_t i = 0; i < options.formats.size(); ++i) {
      const auto file = file_of(options, i, report, reports.size() > 1);
      write_output(options.formats[i]->render(report, render_options(!file, false)), file);
    }
  }
  if (reports.empty()) tell("no VM was there to trace");
  return 0;
}

}  // namespace kvmbench::cli
