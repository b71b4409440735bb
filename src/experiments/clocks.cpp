#include "experiments/clocks.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "experiments/measuring.hpp"

namespace kvmbench::experiments {
namespace {

using report::ExperimentCell;
using report::ExperimentSample;
using Unit = report::ExperimentColumn::Unit;
using Samples = std::vector<const ExperimentSample*>;

/// The runs by arm.
std::vector<Samples> by_arm(const std::vector<ExperimentSample>& samples) {
  std::vector<Samples> arms;
  for (const ExperimentSample& sample : samples) {
    auto found = std::ranges::find(
        arms, sample.arm, [](const Samples& arm) -> auto& { return arm.front()->arm; });
    if (found == arms.end()) found = arms.emplace(arms.end());
    found->push_back(&sample);
  }
  return arms;
}

template <class Figure>
ExperimentCell spread_over(const Samples& arm, const Figure& figure) {
  std::vector<double> values;
  for (const ExperimentSample* sample : arm) {
    if (!sample->failure.empty()) continue;
    if (const std::optional<double> value = figure(*sample)) values.push_back(*value);
  }
  if (values.empty()) return {};
  return spread_of(std::move(values));
}

std::optional<double> number(const std::optional<std::uint64_t>& count) {
  return count ? std::optional(static_cast<double>(*count)) : std::nullopt;
}

}  // namespace

report::ExperimentTable clocks_of(const std::vector<ExperimentSample>& samples) {
  report::ExperimentTable table{
      .id = "clocks",
      .title = "What each arm took, by three clocks",
      .columns = {{"arm", "arm", Unit::words},
                  {"guest_s", "guest's own", Unit::seconds},
                  {"returns", "returns", Unit::count},
                  {"service_s", "service", Unit::seconds},
                  {"kernel_exits", "HW exits", Unit::count},
                  {"kernel_s", "out of guest", Unit::seconds},
                  {"run_s", "in KVM_RUN", Unit::seconds, 1},
                  {"runs", "runs", Unit::count, 2}},
      .rows = {},
      .notes = {"Whole runs, all vCPUs together. The guest's own: what it has timed by its TSC. Service is "
                "kvmbench's, from the return of KVM_RUN to the next. HW exits are KVM's own count; out of "
                "guest is the kernel's time from exit to entry, service among it, where the run was traced "
                "(--trace)."}};
  for (const Samples& arm : by_arm(samples)) {
    const auto runs = std::ranges::count_if(arm, [](const auto* run) { return run->failure.empty(); });
    if (runs == 0) {
      table.add_not_here({arm.front()->arm}, arm.front()->failure);
      continue;
    }
    table.add(
        {arm.front()->arm, spread_over(arm, [](const auto& run) { return run.guest_seconds; }),
         spread_over(arm, [](const auto& run) { return std::optional(static_cast<double>(run.exits)); }),
         spread_over(arm, [](const auto& run) { return std::optional(run.service_seconds); }),
         spread_over(arm, [](const auto& run) { return number(run.kernel_exits); }),
         spread_over(arm, [](const auto& run) { return run.kernel_seconds; }),
         spread_over(arm, [](const auto& run) { return std::optional(run.run_seconds); }),
         static_cast<double>(runs)});
  }
  return table;
}

}  // namespace kvmbench::experiments
