#include "experiments/context.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

#include "base/blocked_signals.hpp"
#include "base/error.hpp"
#include "experiments/scratch_file.hpp"
#include "report/printable.hpp"
#include "vmm/ending.hpp"

namespace kvmbench::experiments {
namespace {

using std::chrono::steady_clock;

/// Beyond it a guest has run away: what its console has then is not read.
constexpr std::size_t most_console = std::size_t{8} << 20;

double seconds_since(steady_clock::time_point began) {
  return std::chrono::duration<double>(steady_clock::now() - began).count();
}

double cpu_seconds_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// What a guest that fails says last.
std::string last_line(std::string_view console) {
  constexpr std::string_view ends = "\r\n";
  const std::size_t end = console.find_last_not_of(ends);
  if (end == std::string_view::npos) return {};
  console = console.substr(0, end + 1);
  const std::size_t before = console.find_last_of(ends);
  constexpr unsigned widest = 200;
  return report::cut(
      report::printable(before == std::string_view::npos ? console : console.substr(before + 1)), widest);
}

std::string failure_of(const Arm& arm, const cli::RunResult& result, std::string_view console) {
  const std::string& image = arm.options.image;
  if (result.status == exit_status({.kind = Ending::Kind::timeout, .value = 0, .text = {}}))
    return fmt::format("{} did not end within {:.0f} s", image, arm.options.timeout);
  if (result.status == 0) return {};
  const std::string line = last_line(console);
  return fmt::format("{}: {}{}{}", image, result.report.ending, line.empty() ? "" : ": ", line);
}

void check_interrupted(const cli::RunResult& result) {
  constexpr int first_signal = 128;
  if (result.status <= first_signal) return;
  const Ending by_signal{.kind = Ending::Kind::signal,
                         .value = static_cast<std::uint32_t>(result.status - first_signal),
                         .text = {}};
  if (result.report.ending == describe(by_signal)) throw Interrupted(result.status);
}

/// In KVM_RUN and from its return to the next, of all vCPUs.
stats::KeyStats times_of(const stats::Snapshot& snapshot) {
  stats::KeyStats sum;
  for (const stats::KeyStats& key : by_key(snapshot, stats::Phases::merged)) sum += key;
  return sum;
}

/// From the hardware's exits to the next entries; nothing where they were not traced.
std::optional<double> out_of_guest(const stats::Snapshot& snapshot) {
  const std::optional<stats::TracedExits> traced = snapshot.traced();
  if (!traced || traced->exits == 0) return std::nullopt;
  double nanoseconds = 0;
  for (const stats::HardwareReasonStats& reason : traced->reasons)
    nanoseconds += static_cast<double>(reason.out_of_guest.sum);
  return nanoseconds * 1e-9;
}

/// Of all its results: the stretch that each is of.
std::optional<double> timed_by_guest(const ArmRun& run) {
  double cycles = 0;
  for (const report::GuestFigures& figures : run.guest.results) {
    const auto stretch = figures.number("elapsed");
    cycles += static_cast<double>(stretch ? *stretch : figures.number("cycles").value_or(0));
  }
  return cycles > 0 && run.tsc_khz() > 0 ? std::optional(run.seconds(cycles)) : std::nullopt;
}

stats::KeyStats sum_of(const stats::Snapshot& snapshot, std::uint8_t mark, const auto& wanted) {
  stats::KeyStats sum;
  for (const stats::KeyStats& key : by_key(snapshot, stats::Phases::kept)) {
    const stats::PhaseLabel& label = snapshot.phases.at(key.key.phase).label;
    if (label.kind == stats::PhaseLabel::Kind::post_code && label.value == mark && wanted(key.key))
      sum += key;
  }
  return sum;
}

}  // namespace

Arm guest_arm(std::string name, std::string image, std::string command_line) {
  Arm arm{.name = std::move(name), .options = {}};
  arm.options.image = std::move(image);
  arm.options.command_line = std::move(command_line);
  return arm;
}

stats::KeyStats ArmRun::exits_in(std::uint8_t mark, std::optional<std::uint32_t> reason) const {
  return sum_of(report.snapshot, mark,
                [=](const stats::ExitKey& key) { return !reason || key.reason == *reason; });
}

stats::KeyStats ArmRun::exits_where(std::uint8_t mark,
                                    const std::function<bool(const stats::ExitKey&)>& wanted) const {
  return sum_of(report.snapshot, mark, wanted);
}

std::optional<double> ArmRun::kernel_seconds(stats::HardwareDetail::Kind kind, std::uint64_t value) const {
  const std::optional<stats::TracedExits> traced = report.snapshot.traced();
  if (!traced) return std::nullopt;
  std::uint64_t timed = 0, nanoseconds = 0;
  for (const stats::HardwareDetailStats& detail : traced->details) {
    if (detail.detail.kind != kind || detail.detail.value != value) continue;
    timed += detail.timed;
    nanoseconds += detail.nanoseconds;
  }
  if (timed == 0) return std::nullopt;
  return static_cast<double>(nanoseconds) / static_cast<double>(timed) * 1e-9;
}

stats::KeyStats ArmRun::exits_at(std::uint8_t mark, std::uint32_t reason, std::uint64_t address) const {
  return sum_of(report.snapshot, mark,
                [=](const stats::ExitKey& key) { return key.reason == reason && key.address == address; });
}

Context::Context(const ContextOptions& options, Progress& progress)
    : options_(options), progress_(progress), began_(steady_clock::now()) {}

double Context::seconds_left() const noexcept {
  return std::max(0.0, options_.budget_seconds - seconds_since(began_));
}

ArmRun Context::execute(const Arm& arm) const {
  const ScratchFile console("console");
  Arm of_run = arm;
  cli::RunOptions& options = of_run.options;
  options.serial = "file:" + console.path();
  if (options.timeout == 0) options.timeout = std::max(30.0, 3 * options_.budget_seconds);
  options.allow_unstable_tsc = options_.allow_unstable_tsc;
  options.trace = options.trace || options_.trace;
  ArmRun run;
  const auto began = steady_clock::now();
  const double cpu_before = cpu_seconds_so_far();
  try {
    cli::RunResult result = run_guest(options);
    check_interrupted(result);
    const std::string text = console.text(most_console);
    run.status = result.status;
    run.vcpu_cpu_seconds = result.vcpu_cpu_seconds;
    run.failure = failure_of(of_run, result, text);
    run.report = std::move(result.report);
    run.guest = parse_guest_results(text);
    if (run.failure.empty() && run.guest.malformed != 0)
      run.failure = fmt::format("{}: {} of its result lines are none", options.image, run.guest.malformed);
  } catch (const Interrupted&) {
    throw;
  } catch (const std::runtime_error& refused) {
    run.failure = refused.what();
  }
  run.wall_seconds = seconds_since(began);
  run.cpu_seconds = cpu_seconds_so_far() - cpu_before;
  return run;
}

ArmRun Context::try_out(const Arm& arm) {
  progress_.at(fmt::format("trying {}", arm.name), seconds_left());
  return execute(arm);
}

std::uint64_t Context::repetitions_of(const Arm& arm) const {
  return static_cast<std::uint64_t>(std::count_if(
      samples_.begin(), samples_.end(), [&](const auto& sample) { return sample.arm == arm.name; }));
}

void Context::keep_sample(const Arm& arm, const ArmRun& run) {
  const stats::KeyStats times = times_of(run.report.snapshot);
  const auto seconds = [&](const stats::TimeStats& of) {
    return run.tsc_khz() == 0 ? 0 : run.seconds(static_cast<double>(of.sum));
  };
  samples_.push_back({.arm = arm.name,
                      .repetition = repetitions_of(arm) + 1,
                      .status = run.status,
                      .wall_seconds = run.wall_seconds,
                      .cpu_seconds = run.cpu_seconds,
                      .exits = run.report.snapshot.exits(),
                      .kernel_exits = run.report.snapshot.kernel_exits(),
                      .run_seconds = seconds(times.run),
                      .service_seconds = seconds(times.service),
                      .kernel_seconds = out_of_guest(run.report.snapshot),
                      .guest_seconds = timed_by_guest(run),
                      .guest = run.guest.results,
                      .failure = run.failure});
}

ArmRun Context::run(const Arm& arm) {
  progress_.at(fmt::format("{}, repetition {}", arm.name, repetitions_of(arm) + 1), seconds_left());
  ArmRun run = execute(arm);
  keep_sample(arm, run);
  return run;
}

std::vector<ArmRun> Context::run_together(std::span<const Arm> arms) {
  progress_.at(fmt::format("{} machines at once", arms.size()), seconds_left());
  std::vector<ArmRun> runs(arms.size());
  std::exception_ptr interrupted;
  std::mutex mutex;
  {
    std::vector<std::jthread> threads;
    std::optional<BlockedSignals> blocked(std::in_place);  // the machine of this thread is to hear them
    for (std::size_t i = 1; i < arms.size(); ++i) {
      threads.emplace_back([&, i] {
        try {
          runs[i] = execute(arms[i]);
        } catch (...) {
          const std::lock_guard lock(mutex);
          interrupted = std::current_exception();
        }
      });
    }
    blocked.reset();
    try {
      if (!arms.empty()) runs.front() = execute(arms.front());
    } catch (...) {
      const std::lock_guard lock(mutex);
      interrupted = std::current_exception();
    }
  }
  if (interrupted) std::rethrow_exception(interrupted);
  for (std::size_t i = 0; i < arms.size(); ++i) keep_sample(arms[i], runs[i]);
  return runs;
}

std::vector<std::vector<ArmRun>> Context::interleave(std::span<const Arm> arms, unsigned wanted,
                                                     double seconds) {
  const double room = seconds > 0 ? std::min(seconds, seconds_left()) : seconds_left();
  const auto began = steady_clock::now();
  std::vector<std::vector<ArmRun>> runs(arms.size());
  double longest = 0;
  for (unsigned turn = 0; turn < wanted; ++turn) {
    const double before = seconds_since(began);
    if (turn > 0 && before + longest > room) break;
    for (std::size_t i = 0; i < arms.size(); ++i) {
      if (turn > 0 && runs[i].back().failed()) continue;
      runs[i].push_back(run(arms[i]));
    }
    longest = std::max(longest, seconds_since(began) - before);
  }
  return runs;
}

}  // namespace kvmbench::experiments
