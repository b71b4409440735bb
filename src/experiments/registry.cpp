#include <array>

#include "experiments/experiment.hpp"

namespace kvmbench::experiments {

// Each is defined in the file of its name.
void run_exits(Context& context, report::ExperimentResult& result);

namespace {

constexpr std::array table{
    Experiment{"exits", "What does an exit of each kind cost?", run_exits},
};

}  // namespace

std::span<const Experiment> experiments() {
  return table;
}

}  // namespace kvmbench::experiments
