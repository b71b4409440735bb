/// What an experiment is: one question, answered by machines that are built and run for it. Each is one file
/// of this folder and one line in registry.cpp; docs/experiments.md defines it.
#pragma once

#include <span>
#include <string_view>

#include "experiments/context.hpp"
#include "report/experiment.hpp"

namespace kvmbench::experiments {

struct Experiment {
  std::string_view name;      ///< "exits"
  std::string_view question;  ///< "What does an exit of each kind cost?"
  /// Runs its arms by `context` and fills in tables, plots, exact counts and the answer; samples come from
  /// the context. What the host cannot do is a row that says why. Throws HostError, UsageError where there is
  /// no result at all.
  void (*run)(Context& context, report::ExperimentResult& result);
};

/// In the order of docs/experiments.md.
[[nodiscard]] std::span<const Experiment> experiments();

}  // namespace kvmbench::experiments
