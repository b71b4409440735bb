/// A command of the program: its arguments, and what it does with them. Each is a file of this folder, or of
/// main.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace kvmbench::arguments {

struct Command {
  CLI::App* app;
  std::function<int()> run;  ///< once the arguments are parsed; gives the exit status
};

[[nodiscard]] Command add_bench(CLI::App& app);
[[nodiscard]] Command add_compare(CLI::App& app);
[[nodiscard]] Command add_merge(CLI::App& app);
[[nodiscard]] Command add_report(CLI::App& app);
[[nodiscard]] Command add_trace(CLI::App& app);

}  // namespace kvmbench::arguments
