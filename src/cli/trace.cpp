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
std::optional<std::string> file_of(const TraceOptions& options, std::size_t format,
                                   const report::Report& report, bool several) {
  if (format >= options.report_files.size()) return std::nullopt;
  const std::string& file = options.report_files[format];
  return several ? fmt::format("{}.{}", file, report.machine.front().second) : file;
}

}  // namespace

int trace(const TraceOptions& options) {
  if (options.list) {
    print_vms(trace::find_vms());
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
