#include "cli/run.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "base/tsc.hpp"
#include "cli/boot_files.hpp"
#include "cli/guest_symbols.hpp"
#include "cli/host_devices.hpp"
#include "cli/interval_log.hpp"
#include "cli/live_run.hpp"
#include "cli/run_report.hpp"
#include "cli/served_run.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal_size.hpp"
#include "hostio/serial_backend.hpp"
#include "live/pane_backend.hpp"
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
  config.record_sites = options.rip;
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
  tell(fmt::format("warning: /proc/cpuinfo lacks {}: counts are exact, times may not be", lacking));
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

std::chrono::nanoseconds to_duration(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

/// A port's receiver and the host's side of it, each telling the other when there is something to do.
class PortLink final : public ReceiveReady {
 public:
  /// `receive` offers characters to `port`, which is to tell this object when it has room again.
  PortLink(std::string_view port, hostio::SerialBackend& backend, hostio::SerialBackend::Receive receive)
      : backend_(backend) {
    backend.start(std::move(receive));
    if (const std::string notice = backend.notice(); !notice.empty()) {
      tell(fmt::format("{}: {}", port, notice));
    }
  }
  void receive_ready() noexcept override { backend_.room(); }

 private:
  hostio::SerialBackend& backend_;
};

/// The host sides of the two serial ports and of the virtio-console, and what else can end a run from
/// outside.
///
/// Where the first serial port and the virtio-console both go to stdio they share it: the output of both is
/// seen, the kernel's first words by the serial port among it; what is typed goes to the virtio-console while
/// a driver runs it, else to the serial port.
class HostSide final {
 public:
  HostSide(boost::asio::io_context& io, const RunOptions& options)
      : signals_(io, SIGINT, SIGTERM, SIGHUP), window_(io), timer_(io) {
    const auto open = [this, &io, live = options.live](const std::string& spec) {
      return open_backend(io, spec, live);
    };
    serial0_ = open(options.serial);
    serial1_ = open(options.second_serial);
    const ConsoleOptions console = console_options(options);
    const bool shared = console.backend == "stdio" && options.serial == "stdio";
    if (console.paravirtual && !shared) console_ = open(console.backend);
  }

  /// The user wants the run to end.
  void leave() { stop({Ending::Kind::left, 0, {}}); }

  /// The guest's output, where a live view shows it.
  [[nodiscard]] const live::ConsolePane* pane() const noexcept { return pane_; }

  [[nodiscard]] PlatformHost platform() {
    return {.serial = {&serial0_->sink(), &serial1_->sink()}, .debug_console = &serial0_->sink()};
  }

  /// Of the virtio-console.
  [[nodiscard]] CharacterSink& console_sink() { return console_ ? console_->sink() : serial0_->sink(); }

  /// `timeout` in seconds, 0 for none; `console` is null where there is no virtio-console.
  void connect(Machine& machine, virtio::ConsoleDevice* console, double timeout) {
    machine_ = &machine;
    connect_uart(link0_, machine.platform().uart(0), *serial0_, console_ ? nullptr : console);
    connect_uart(link1_, machine.platform().uart(1), *serial1_, nullptr);
    if (console != nullptr) connect_console(*console);
    wait_for_signal();
    if (timeout <= 0) return;
    timer_.expires_after(to_duration(timeout));
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) stop({Ending::Kind::timeout, 0, {}});
    });
  }

  /// The machine has stopped: what the guest has sent still goes out.
  void drain() {
    timer_.cancel();
    for_backends([](hostio::SerialBackend& backend) { backend.drain(); });
  }

  /// No vCPU waits any more for a reader that takes nothing.
  void close() {
    for_backends([](hostio::SerialBackend& backend) { backend.close(); });
  }

 private:
  template <class Use>
  void for_backends(const Use& use) {
    for (const auto* backend : {&serial0_, &serial1_, &console_}) {
      if (*backend) use(**backend);
    }
  }

  /// `sharing` has the same backend, and goes before; null where there is none.
  static void connect_uart(std::optional<PortLink>& link, Uart16550& uart, hostio::SerialBackend& backend,
                           virtio::ConsoleDevice* sharing) {
    link.emplace(uart.name(), backend, [&uart, sharing](std::span<const std::uint8_t> characters) {
      return sharing != nullptr && sharing->ready() ? sharing->receive(characters) : uart.receive(characters);
    });
    uart.set_receive_ready(*link);
    if (sharing != nullptr) sharing->set_receive_ready(*link);
  }

  void connect_console(virtio::ConsoleDevice& console) {
    console.set_transmit_observer(machine_->phase_marker());
    if (console_) {
      console_link_.emplace(console.name(), *console_, [&console](std::span<const std::uint8_t> characters) {
        return console.receive(characters);
      });
      console.set_receive_ready(*console_link_);
    }
    if (console.has_size()) {
      window_.add(SIGWINCH);
      wait_for_resize(console);
    }
  }

  void wait_for_resize(virtio::ConsoleDevice& console) {
    window_.async_wait([this, &console](const boost::system::error_code& cancelled, int) {
      if (cancelled) return;
      if (const auto size = terminal_size()) console.resize({.columns = size->columns, .rows = size->rows});
      wait_for_resize(console);
    });
  }

  /// A live view has the terminal: what would go there goes to its pane.
  std::unique_ptr<hostio::SerialBackend> open_backend(boost::asio::io_context& io, const std::string& spec,
                                                      bool live) {
    if (live && spec == "stdio") {
      auto backend = std::make_unique<live::PaneBackend>();
      pane_ = &backend->pane();
      return backend;
    }
    return hostio::SerialBackend::open(io, spec, [this] { leave(); });
  }

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& cancelled, int signal) {
      if (cancelled) return;
      stop({Ending::Kind::signal, static_cast<std::uint32_t>(signal), {}});
      wait_for_signal();  // a second one ends drain()
    });
  }

  void stop(const Ending& ending) {
    close();
    if (machine_ != nullptr) machine_->stop(ending);
  }

  Machine* machine_ = nullptr;
  const live::ConsolePane* pane_ = nullptr;  // of serial0_ or serial1_
  std::unique_ptr<hostio::SerialBackend> serial0_;
  std::unique_ptr<hostio::SerialBackend> serial1_;
  std::unique_ptr<hostio::SerialBackend> console_;  // null where there is none of its own
  std::optional<PortLink> link0_;
  std::optional<PortLink> link1_;
  std::optional<PortLink> console_link_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set window_;
  boost::asio::steady_timer timer_;
};

/// Before a machine is destroyed, which waits for its vCPUs, also where an exception ends the run.
class CloseFirst final {
 public:
  explicit CloseFirst(HostSide& host) : host_(host) {}
  CloseFirst(const CloseFirst&) = delete;
  CloseFirst& operator=(const CloseFirst&) = delete;
  ~CloseFirst() { host_.close(); }

 private:
  HostSide& host_;
};

/// Null where it cannot be had, which is said: the kernel's own counters are there all the same.
std::unique_ptr<trace::ExitTracer> tracer_of(const RunOptions& options) {
  if (!options.trace) return nullptr;
  try {
    auto tracer = std::make_unique<trace::ExitTracer>(trace::ExitTracer::Whose::chosen_processes,
                                                      trace::TracerRoom::for_vcpus(options.cpus));
    tracer->add(::getpid());
    return tracer;
  } catch (const trace::TracingUnavailable& why) {
    tell(fmt::format("--trace: hardware exits are counted but not traced by reason: {}", why.what()));
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
          intervals ? intervals->timeline() : report::Timeline()};
}

}  // namespace kvmbench::cli
