/// What an experiment is given: machines that run guests, time, and someone to tell how far it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/run.hpp"
#include "experiments/guest_results.hpp"
#include "experiments/measuring.hpp"
#include "experiments/progress.hpp"
#include "report/experiment.hpp"

namespace kvmbench::experiments {

/// A machine and its guest. Of `options`, the first serial port and reports are the context's; so are the
/// time limit and tracing, unless they are given.
struct Arm {
  std::string name;  ///< "virtio-net", in samples, failures and progress
  cli::RunOptions options;
};
/// `image` is "@NAME"; a machine of one vCPU with KVM's own interrupt controllers.
[[nodiscard]] Arm guest_arm(std::string name, std::string image, std::string command_line);

/// What a run has left. Where `failure` is not empty, nothing else means anything.
struct ArmRun {
  std::string failure;  ///< "@prices ended with status 1: ..."; what the host refused
  int status = 0;
  report::Report report;  ///< phases, keys, the kernel's counters, hardware exits where traced
  GuestResults guest;
  double wall_seconds = 0;      ///< of building the machine and running it
  double cpu_seconds = 0;       ///< of all threads of this program
  double vcpu_cpu_seconds = 0;  ///< of the vCPUs' alone

  [[nodiscard]] bool failed() const noexcept { return !failure.empty(); }
  [[nodiscard]] std::uint64_t tsc_khz() const noexcept { return report.snapshot.tsc_khz; }
  /// Cycles as seconds.
  [[nodiscard]] double seconds(double cycles) const noexcept {
    return cycles / (static_cast<double>(tsc_khz()) * 1e3);
  }
  /// Exits of the phase that began with this byte on port 0x80, of all vCPUs: of one KVM_EXIT_*, or of all.
  [[nodiscard]] stats::KeyStats exits_in(std::uint8_t mark, std::optional<std::uint32_t> reason = {}) const;
  /// Those that are `wanted`.
  [[nodiscard]] stats::KeyStats exits_where(std::uint8_t mark,
                                            const std::function<bool(const stats::ExitKey&)>& wanted) const;
  /// The kernel's mean time from exit to entry of what it says was at this port, address or MSR, in seconds;
  /// nothing where that was not traced.
  [[nodiscard]] std::optional<double> kernel_seconds(stats::HardwareDetail::Kind kind,
                                                     std::uint64_t value) const;
  /// At one port or address, whatever direction and width.
  [[nodiscard]] stats::KeyStats exits_at(std::uint8_t mark, std::uint32_t reason,
                                         std::uint64_t address) const;
};

/// The user has ended it (Ctrl-C).
class Interrupted final : public std::runtime_error {
 public:
  explicit Interrupted(int exit_status) : std::runtime_error("interrupted"), status(exit_status) {}
  const int status;
};

struct ContextOptions {
  double budget_seconds = 20;
  bool allow_unstable_tsc = false;
  bool trace = false;                 ///< of all arms; it has been seen that it is possible
  std::optional<std::string> with;    ///< a saved result of another host's, to be shown beside this one's
  std::optional<std::string> kernel;  ///< of Linux, for experiments that boot one
  std::optional<std::string> initrd;
  std::string kernel_command_line;
};

class Context final {
 public:
  Context(const ContextOptions& options, Progress& progress);

  /// What the user gave each experiment, and what is left of it.
  [[nodiscard]] double budget_seconds() const noexcept { return options_.budget_seconds; }
  [[nodiscard]] double seconds_left() const noexcept;
  [[nodiscard]] const ContextOptions& options() const noexcept { return options_; }
  /// Whether the hardware's exits of each run are in its report, by reason.
  [[nodiscard]] bool traced() const noexcept { return options_.trace; }

  /// One run, to find out how long rounds take or what is possible here. No sample of the result.
  [[nodiscard]] ArmRun try_out(const Arm& arm);
  /// One run: a sample of the result.
  [[nodiscard]] ArmRun run(const Arm& arm);
  /// All at once, each on threads of its own: a sample each. Gives them in their order.
  [[nodiscard]] std::vector<ArmRun> run_together(std::span<const Arm> arms);
  /// Runs the arms in turn, A B A B ..., `wanted` times, or as often as `seconds` (0: what is left) have room
  /// for, but once. Gives the runs by arm. An arm that fails is not run again.
  [[nodiscard]] std::vector<std::vector<ArmRun>> interleave(std::span<const Arm> arms, unsigned wanted = 5,
                                                            double seconds = 0);

  /// The samples so far, which the result is to have.
  [[nodiscard]] std::vector<report::ExperimentSample> take_samples() { return std::move(samples_); }

 private:
  [[nodiscard]] ArmRun execute(const Arm& arm) const;
  /// How often the arm has run.
  [[nodiscard]] std::uint64_t repetitions_of(const Arm& arm) const;
  void keep_sample(const Arm& arm, const ArmRun& run);

  const ContextOptions options_;
  Progress& progress_;
  const std::chrono::steady_clock::time_point began_;
  std::vector<report::ExperimentSample> samples_;
};

/// `figure(run)` of each run that has not failed: median, least and most. An empty cell where there is none.
template <class Figure>
[[nodiscard]] report::ExperimentCell spread_over(const std::vector<ArmRun>& runs, const Figure& figure) {
  std::vector<double> values;
  for (const ArmRun& run : runs) {
    if (run.failed()) continue;
    if (const std::optional<double> value = figure(run)) values.push_back(*value);
  }
  if (values.empty()) return {};
  return spread_of(std::move(values));
}

}  // namespace kvmbench::experiments
