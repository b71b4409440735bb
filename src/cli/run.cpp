#include "cli/run.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "base/tsc.hpp"
#include "cli/boot_files.hpp"
#include "cli/guarded_memory.hpp"
#include "cli/guest_symbols.hpp"
#include "cli/host_devices.hpp"
#include "cli/host_side.hpp"
#include "cli/interval_log.hpp"
#include "cli/live_run.hpp"
#include "cli/run_report.hpp"
#include "cli/served_run.hpp"
#include "cli/standard_streams.hpp"
#include "report/memory_view.hpp"
#include "vmm/host_facts.hpp"
#include "vmm/machine.hpp"

namespace kvmbench::cli {
namespace {

using std::chrono::steady_clock;

MachineConfig machine_config(const RunOptions& options) {
  MachineConfig config;
  config.memory = options.memory;
  config.backing = options.huge_pages ? GuestMemory::Backing::huge_pages : GuestMemory::Backing::normal_pages;
  config.cpus = options.cpus;
  config.irqchip = options.irqchip;
  for (const std::string& feature : options.cpuid_mask)
    config.masked_cpuid.push_back(parse_cpuid_bit(feature));
  config.guest_stats = options.guest_stats;
  config.mark_on_serial = options.mark_on_serial;
  config.interrupt_source = options.interrupt_source;
  config.halt_poll_ns = options.halt_poll_ns;
  config.disabled_exits = options.disabled_exits;
  config.record_sites = options.rip;
  const GuardedMemoryOptions guarded = parse_guarded_memory(options.protect, options.watch);
  config.guarded = guarded.ranges;
  config.dirty_log_period = guarded.every;
  config.account = options.account;
  config.exit_probe = options.exit_probe;
  return config;
}

void require_stable_tsc(bool allow_unstable) {
  const TscSupport tsc = tsc_support();
  if (tsc.constant && tsc.nonstop) return;
  const std::string_view lacking = !tsc.constant ? "constant_tsc" : "nonstop_tsc";
  if (!allow_unstable) {
    throw HostError(
        fmt::format("this host's TSC may change its rate or stop (/proc/cpuinfo lacks {}), so that times in "
                    "cycles mean little; counts are not affected: --allow-unstable-tsc runs all the same",
                    lacking));
  }
  tell_once(fmt::format("warning: /proc/cpuinfo lacks {}: counts are exact, times may not be", lacking));
}

/// For hosts whose KVM does not know the frequency: against the monotonic clock, over 50 ms.
std::uint64_t measure_tsc_khz() {
  const auto start = steady_clock::now();
  const std::uint64_t first = read_tsc();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::uint64_t cycles = read_tsc() - first;
  const std::chrono::duration<double, std::milli> elapsed = steady_clock::now() - start;
  return static_cast<std::uint64_t>(static_cast<double>(cycles) / elapsed.count());
}

/// Null where it cannot be had, which is said: the kernel's own counters are there all the same.
std::unique_ptr<trace::ExitTracer> tracer_of(const RunOptions& options) {
  if (!options.trace) return nullptr;
  try {
    auto tracer = std::make_unique<trace::ExitTracer>(trace::ExitTracer::Whose::chosen_processes,
                                                      trace::TracerRoom::for_vcpus(options.cpus));
    tracer->add(::getpid());
    return tracer;
  } catch (const trace::TracingUnavailable& why) {
    tell_once(fmt::format("--trace: hardware exits are counted but not traced by reason: {}", why.what()));
    return nullptr;
  }
}

void tell_where(const ServedRun& served) {
  tell(fmt::format("serving /metrics, /snapshot and the report at {}", served.url()));
  if (served.open_to_all())
    tell("warning: whoever reaches that address can read it: --serve-token FILE asks for a token");
}

void tell_how_it_ended(const Machine& machine) {
  const Ending ending = machine.ending();
  if (std::string crash = machine.crash_report(); !crash.empty()) {
    crash.pop_back();  // the newline, which tell() brings
    tell(crash);
  }
  if (ending.kind == Ending::Kind::protected_memory) {
    if (const auto accesses = machine.guard().account().accesses; !accesses.empty())
      tell(report::in_words(accesses.back()));
  }
  const bool guests_own = ending.kind == Ending::Kind::powered_off || ending.kind == Ending::Kind::debug_exit;
  if (!guests_own) tell(describe(ending));
}

}  // namespace

int run(const RunOptions& options) {
  check_report_files(options);
  const std::vector<report::Expectation> expectations = read_budget(options.budget);
  const RunResult result = run_guest(options);
  write_reports(options, result.report, &result.timeline);
  const int within_budget = check_budget(options.budget, expectations, result.report);
  return result.status != 0 ? result.status : within_budget;
}

RunResult run_guest(const RunOptions& options) {
  const symbols::SymbolTable symbols = guest_symbols(options);
  const Kvm kvm;
  require_stable_tsc(options.allow_unstable_tsc);
  boost::asio::io_context io(1);
  HostSide host(io, options);
  HostDevices devices(options, host.console_sink());
  PlatformHost platform = host.platform();
  platform.ata = devices.disks().ata();
  const std::unique_ptr<trace::ExitTracer> tracer = tracer_of(options);
  Machine machine(kvm, machine_config(options),
                  {.io = io,
                   .platform = platform,
                   .virtio = devices.virtio(),
                   .network_cards = devices.networks().pci(),
                   .tracer = tracer.get(),
                   .ended = [&io] { io.stop(); }});
  const CloseFirst close_first(host);
  const Networks::Traffic traffic(devices.networks());
  const boot::Loaded loaded = load_guest(options, machine);

  RunTimes times;
  times.tsc_khz = machine.tsc_khz() != 0 ? machine.tsc_khz() : measure_tsc_khz();
  std::optional<IntervalLog> intervals;
  if (options.interval > 0) {
    intervals.emplace(io, machine, options.interval_file.value_or("kvmbench-intervals.jsonl"),
                      to_duration(options.interval), times.tsc_khz);
  }
  host.connect(machine, devices.console(), options.timeout);
  if (intervals) intervals->start();
  std::optional<LiveRun> live;
  if (options.live) {
    live.emplace(io, machine,
                 LiveRun::Shown{.title = options.image, .tsc_khz = times.tsc_khz, .console = host.pane()},
                 [&host] { host.leave(); });
  }

  times.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  const auto began = steady_clock::now();
  std::optional<ServedRun> served;
  if (options.serve) {
    served.emplace(
        *options.serve, options.serve_token,
        [&, so_far = times, began]() mutable {
          so_far.wall_seconds = std::chrono::duration<double>(steady_clock::now() - began).count();
          return make_report(options, machine, loaded.protocol, so_far, symbols);
        },
        [&machine, khz = times.tsc_khz] {
          stats::Snapshot snapshot = machine.snapshot();
          snapshot.tsc_khz = khz;
          return snapshot;
        });
    tell_where(*served);
  }
  if (live) live->start();
  machine.start(loaded.entry);
  const auto keep_running = boost::asio::make_work_guard(io);
  io.run();
  machine.join();
  times.wall_seconds = std::chrono::duration<double>(steady_clock::now() - began).count();

  live.reset();
  if (intervals) intervals->finish();
  host.drain();
  tell_how_it_ended(machine);
  for (const std::string& trouble : devices.disks().troubles()) tell(trouble);
  return {exit_status(machine.ending()), make_report(options, machine, loaded.protocol, times, symbols),
          intervals ? intervals->timeline() : report::Timeline(), machine.vcpu_cpu_seconds()};
}

}  // namespace kvmbench::cli
