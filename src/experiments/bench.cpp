#include "experiments/bench.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <stdexcept>

#include "base/error.hpp"
#include "cli/report_output.hpp"
#include "cli/standard_streams.hpp"
#include "experiments/clocks.hpp"
#include "experiments/experiment.hpp"
#include "experiments/saved_table.hpp"
#include "trace/exit_tracer.hpp"
#include "vmm/host_facts.hpp"

namespace kvmbench::experiments {
namespace {

using std::chrono::steady_clock;

void list() {
  std::size_t widest = 0;
  for (const Experiment& experiment : experiments()) widest = std::max(widest, experiment.name.size());
  for (const Experiment& experiment : experiments())
    fmt::print("{:<{}}  {}\n", experiment.name, widest, experiment.question);
}

/// Those named, each once, in the order given.
std::vector<const Experiment*> chosen(const std::vector<std::string>& names) {
  std::vector<const Experiment*> chosen;
  const auto add = [&chosen](const Experiment& experiment) {
    if (std::find(chosen.begin(), chosen.end(), &experiment) == chosen.end()) chosen.push_back(&experiment);
  };
  for (const std::string& name : names) {
    bool known = name == "all";
    for (const Experiment& experiment : experiments()) {
      if (name != "all" && name != experiment.name) continue;
      known = true;
      add(experiment);
    }
    if (!known)
      throw UsageError(
          fmt::format("{}: there is no such experiment; kvmbench bench --list names those there are", name));
  }
  if (chosen.empty()) throw UsageError("an experiment is needed, or all; kvmbench bench --list names them");
  return chosen;
}

Progress::How progress_of(const BenchOptions& options) {
  if (::isatty(STDERR_FILENO) == 1) return Progress::How::bar;
  return options.progress ? Progress::How::lines : Progress::How::silent;
}

bool can_trace(bool wanted) {
  if (!wanted) return false;
  const std::string obstacle = trace::ExitTracer::obstacle();
  if (obstacle.empty()) return true;
  cli::tell(fmt::format("--trace: hardware exits are counted but not traced by reason: {}", obstacle));
  return false;
}

report::ExperimentResult run(const Experiment& experiment, const ContextOptions& options,
                             Progress& progress) {
  report::ExperimentResult result;
  result.name = experiment.name;
  result.question = experiment.question;
  result.budget_seconds = options.budget_seconds;
  Context context(options, progress);
  const auto began = steady_clock::now();
  try {
    experiment.run(context, result);
  } catch (const Interrupted&) {
    throw;
  } catch (const std::runtime_error& error) {
    result.answer = "No answer: the experiment failed.";
    result.failures.emplace_back(error.what());
  }
  result.samples = context.take_samples();
  if (report::ExperimentTable clocks = clocks_of(result.samples); !clocks.rows.empty())
    result.tables.push_back(std::move(clocks));
  result.wall_seconds = std::chrono::duration<double>(steady_clock::now() - began).count();
  return result;
}

}  // namespace

int bench(const BenchOptions& options) {
  if (options.list) return list(), 0;
  const report::Format& format = report::format_named(options.format);
  if (format.experiments == nullptr)
    throw UsageError(fmt::format("--format {} shows no experiments", options.format));
  const std::vector<const Experiment*> wanted = chosen(options.names);
  // What is no such result is refused before anything runs.
  for (const char* table : {"paging", "paging-reasons"}) {
    if (options.with) static_cast<void>(SavedTable::read(*options.with, "paging", table));
  }
  const ContextOptions each{.budget_seconds = options.budget_seconds,
                            .allow_unstable_tsc = options.allow_unstable_tsc,
                            .trace = can_trace(options.trace),
                            .with = options.with,
                            .kernel = options.kernel,
                            .initrd = options.initrd,
                            .kernel_command_line = options.kernel_command_line};
  report::Experiments found;
  found.kvmbench_version = KVMBENCH_VERSION;
  found.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  found.host = host_facts();
  int status = 0;
  try {
    Progress progress(progress_of(options));
    for (const Experiment* experiment : wanted) {
      progress.begin(std::string(experiment->name), static_cast<unsigned>(found.results.size()) + 1,
                     static_cast<unsigned>(wanted.size()), options.budget_seconds);
      found.results.push_back(run(*experiment, each, progress));
      if (!found.results.back().sound()) status = 1;
    }
  } catch (const Interrupted& interrupted) {  // what has been found out so far is not lost
    status = interrupted.status;
  }
  std::exception_ptr unsaved;  // a file that cannot be written does not keep the result from being shown
  try {
    report::write_file(options.save, report::to_json(found));
  } catch (const std::runtime_error&) {
    unsaved = std::current_exception();
  }
  cli::write_output(format.experiments(found, cli::render_options(!options.output, false)), options.output);
  if (unsaved) std::rethrow_exception(unsaved);
  cli::tell(fmt::format("saved to {}", options.save));
  return status;
}

}  // namespace kvmbench::experiments
