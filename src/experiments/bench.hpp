/// kvmbench bench: runs experiments and tells what they have found out.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kvmbench::experiments {

struct BenchOptions {
  std::vector<std::string> names;  ///< of experiments, or "all"
  bool list = false;               ///< tell which there are, and do nothing else
  double budget_seconds = 20;      ///< of each experiment
  bool trace = false;
  bool allow_unstable_tsc = false;
  std::optional<std::string> with;    ///< another host's result
  std::optional<std::string> kernel;  ///< of Linux
  std::optional<std::string> initrd;
  std::string kernel_command_line = "console=ttyS0 panic=-1";
  bool progress = false;                     ///< also where stderr is no terminal
  std::string format = "text";               ///< by name (report/formats.hpp)
  std::optional<std::string> output;         ///< default stdout
  std::string save = "kvmbench-bench.json";  ///< JSON besides
};

/// The exit status: 0; 1 where an arm failed or a determined number of exits is another one, which the result
/// says; 128 + n by signal n. Throws UsageError, HostError.
[[nodiscard]] int bench(const BenchOptions& options);

}  // namespace kvmbench::experiments
