#include "cli/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "cli/end_signals.hpp"
#include "cli/live_trace.hpp"
#include "cli/report_output.hpp"
#include "cli/standard_streams.hpp"
#include "cli/traced_host.hpp"
#include "cli/vm_choice.hpp"
#include "live/traced_moment.hpp"
#include "report/growth_table.hpp"
#include "report/printable.hpp"
#include "report/text_table.hpp"
#include "report/units.hpp"

namespace kvmbench::cli {
namespace {

using std::chrono::steady_clock;

steady_clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
}

class Tracing final {
 public:
  explicit Tracing(const TraceOptions& options)
      : options_(options), host_(options, [this](const std::string& notice) { say(notice); }) {}

  void run() {
    const EndSignals signals;
    if (options_.live) live_.emplace();
    const auto never = steady_clock::time_point::max();
    const auto end = options_.duration > 0 ? host_.began() + to_duration(options_.duration) : never;
    const double interval = options_.live && options_.interval == 0 ? 1.0 : options_.interval;
    const auto step = to_duration(interval > 0 ? std::min(interval, 1.0) : 1.0);
    auto next_look = host_.began() + step;
    auto next_sample = interval > 0 ? host_.began() + to_duration(interval) : never;
    while (steady_clock::now() < end && !host_.all_ended()) {
      const auto woken = signals.wait(std::min({end, next_sample, next_look}), live_ ? live_->keys() : -1);
      if (woken == EndSignals::Woken::signal) break;
      if (woken == EndSignals::Woken::input) {
        if (!live_->press()) break;
        continue;
      }
      if (steady_clock::now() >= next_look) {
        host_.look_again();
        next_look = steady_clock::now() + step;
      }
      if (steady_clock::now() < next_sample) continue;
      live_ ? show_sample() : print_sample();
      next_sample += to_duration(interval);
      // Of a time that was missed, as the host was suspended or too busy, there are no samples.
      if (next_sample < steady_clock::now()) next_sample = steady_clock::now() + to_duration(interval);
    }
    wall_seconds_ = host_.seconds();
    live_.reset();
  }

  [[nodiscard]] std::vector<report::Report> reports() { return host_.reports(wall_seconds_); }

 private:
  void say(const std::string& notice) { live_ ? live_->tell(notice) : tell(notice); }

  void print_sample() {
    std::string text;
    const double now = host_.seconds();
    for (TracedHost::Vm& vm : host_.vms()) {
      stats::Snapshot snapshot = vm.traced.snapshot();
      text += fmt::format("\n{} after {}\n", report::printable(vm.traced.title()), report::duration(now));
      text += report::growth_table(snapshot - vm.sampled, now - shown_seconds_)
                  .render(render_options(true, false).width, false);
      vm.sampled = std::move(snapshot);
    }
    shown_seconds_ = now;
    write_stdout(text);
  }

  void show_sample() {
    std::vector<live::TracedSample> samples;
    const double now = host_.seconds();
    for (TracedHost::Vm& vm : host_.vms()) {
      stats::Snapshot snapshot = vm.traced.snapshot();
      samples.push_back(
          {fmt::to_string(vm.traced.process().process), vm.traced.title(), snapshot, snapshot - vm.sampled});
      vm.sampled = std::move(snapshot);
    }
    live_->show(std::make_shared<live::TracedMoment>(
        std::move(samples), live::TracedMoment::Times{now - shown_seconds_, now}, live_->last_told()));
    shown_seconds_ = now;
  }

  const TraceOptions& options_;
  std::optional<LiveTrace> live_;
  TracedHost host_;
  double shown_seconds_ = 0;
  double wall_seconds_ = 0;
};

/// With several VMs, each has a file of its own: "trace.json" becomes "trace.json.4711".
std::string file_of(const std::string& file, const report::Report& report, bool several) {
  return several ? fmt::format("{}.{}", file, report.machine.front().second) : file;
}

void write_reports(const TraceOptions& options, const report::Report& report, bool several) {
  for (std::size_t i = 0; i < options.formats.size(); ++i) {
    std::optional<std::string> file;
    if (i < options.report_files.size()) file = file_of(options.report_files[i], report, several);
    write_output(options.formats[i]->render(report, render_options(!file, false)), file);
  }
}

int check(const TraceOptions& options, const std::vector<report::Expectation>& expectations,
          const report::Report& report, bool several) {
  BudgetOptions budget = options.budget;
  if (budget.write) budget.write = file_of(*budget.write, report, several);
  if (several && !expectations.empty()) tell(fmt::format("process {}:", report.machine.front().second));
  return check_budget(budget, expectations, report);
}

}  // namespace

int trace(const TraceOptions& options) {
  if (options.list) {
    print_vms(trace::find_vms());
    return 0;
  }
  const std::vector<report::Expectation> expectations = read_budget(options.budget);
  Tracing tracing(options);
  tracing.run();
  const std::vector<report::Report> reports = tracing.reports();
  const bool several = reports.size() > 1;
  int status = 0;
  for (const report::Report& report : reports) {
    write_reports(options, report, several);
    status = std::max(status, check(options, expectations, report, several));
  }
  if (reports.empty()) tell("no VM was there to trace");
  return status;
}

}  // namespace kvmbench::cli
