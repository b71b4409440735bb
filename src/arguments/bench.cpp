// kvmbench bench.

#include "experiments/bench.hpp"

#include <memory>

#include "arguments/command.hpp"
#include "arguments/duration.hpp"
#include "arguments/formats.hpp"

namespace kvmbench::arguments {
namespace {

constexpr const char* examples = R"(
Examples:
  kvmbench bench --list                        the experiments, and the question that each answers
  kvmbench bench exits                         what an exit of each kind costs on this host
  kvmbench bench exits --budget 60s --trace    for longer, and with the kernel's own times
  kvmbench bench paging --trace --with other.json      beside what another host has saved
  kvmbench bench all --format html -o bench.html --save bench.json

Exit status: 0; 1 where an arm failed or a number of exits that is determined is another one.
)";

}  // namespace

Command add_bench(CLI::App& app) {
  CLI::App& bench = *app.add_subcommand("bench", "run experiments: what exits cost, and what avoids them");
  bench.footer(examples);
  const auto options = std::make_shared<experiments::BenchOptions>();
  bench.add_option("names", options->names, "the experiments' names, or all");
  bench.add_flag("--list", options->list, "tell which experiments there are, and do nothing else");
  takes_duration(
      *bench.add_option("--budget", options->budget_seconds,
                        "how long each experiment may take (default 20s): chooses its iterations"));
  takes_format(*bench.add_option("--format", options->format, "how to show what was found (default text)"),
               Shows::experiments);
  bench.add_option("-o,--output", options->output, "where to (default stdout)")->option_text("FILE");
  bench
      .add_option("--save", options->save,
                  "where to save it as JSON, with each repetition's figures (default kvmbench-bench.json)")
      ->option_text("FILE");
  bench
      .add_option("--with", options->with,
                  "what bench has saved elsewhere: paging shows it beside this host's")
      ->option_text("FILE");
  bench.add_option("--kernel", options->kernel, "a Linux kernel: paging boots it too")->option_text("FILE");
  bench.add_option("--initrd", options->initrd, "its initial RAM disk, which is to power the machine off")
      ->option_text("FILE")
      ->needs("--kernel");
  bench
      .add_option("--cmdline", options->kernel_command_line,
                  "its command line (default 'console=ttyS0 panic=-1')")
      ->option_text("TEXT")
      ->needs("--kernel");
  bench.add_flag("--trace", options->trace,
                 "count and time the hardware's exits by reason (needs CAP_BPF, CAP_PERFMON)");
  bench.add_flag("--allow-unstable-tsc", options->allow_unstable_tsc,
                 "run although the host's TSC is no clock");
  bench.add_flag("--progress", options->progress, "tell how far it is, also where stderr is no terminal");
  return {&bench, [options] { return experiments::bench(*options); }};
}

}  // namespace kvmbench::arguments
