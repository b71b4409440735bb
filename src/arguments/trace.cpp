// kvmbench trace.

#include "cli/trace.hpp"

#include <memory>

#include "arguments/budget.hpp"
#include "arguments/command.hpp"
#include "arguments/duration.hpp"
#include "arguments/formats.hpp"
#include "base/error.hpp"

namespace kvmbench::arguments {
namespace {

constexpr const char* examples = R"(
Examples:
  kvmbench trace --list                        the VMs of this host, whoever runs them
  kvmbench trace --vm debian -d 10s            ten seconds of the VM that QEMU calls -name debian
  kvmbench trace -p 4711 -i 1s                 until Ctrl-C, with what came in each second
  kvmbench trace --vm debian --live            rates and shares while it runs; keys sort, pause, look into
  kvmbench trace --vm debian -d 1m --expect 'hardware.HLT.rate <= 2000'
  kvmbench trace --all -d 1m --report json --report-file trace.json
)";

struct TraceArguments {
  cli::TraceOptions options;
  std::vector<std::string> formats{"text"};
};

}  // namespace

Command add_trace(CLI::App& app) {
  CLI::App& trace = *app.add_subcommand("trace", "count and time the hardware's exits of any running VM");
  trace.footer(examples);
  const auto arguments = std::make_shared<TraceArguments>();
  cli::TraceOptions& options = arguments->options;
  CLI::Option* process =
      trace.add_option("-p,--pid", options.process, "the process that runs the VM")->option_text("PID");
  CLI::Option* name =
      trace.add_option("--vm", options.name, "the VM of this name (QEMU's -name)")->option_text("NAME");
  CLI::Option* all = trace.add_flag("--all", options.all, "every VM of this host, those that start too");
  CLI::Option* list = trace.add_flag("--list", options.list, "tell which VMs there are, and do nothing else");
  process->excludes(name)->excludes(all)->excludes(list);
  name->excludes(all)->excludes(list);
  all->excludes(list);
  takes_duration(*trace.add_option("-d,--duration", options.duration,
                                   "how long (default: until Ctrl-C, or until the VM has ended)"));
  takes_duration(*trace.add_option("-i,--interval", options.interval, "print what has come, this often"));
  trace.add_flag("--live", options.live, "show rates and shares on the terminal, once a second or interval")
      ->excludes(list);
  CLI::Option& report = *trace
                             .add_option("--report", arguments->formats,
                                         "formats of the report (default text); may be repeated")
                             ->delimiter(',')
                             ->allow_extra_args(false);
  takes_format(report, {"none"});
  trace
      .add_option("--report-file", options.report_files,
                  "file of the first report, of the second, ...; with several VMs, .PID is appended")
      ->option_text("FILE")
      ->allow_extra_args(false);
  add_budget_options(trace, options.budget);
  return {&trace, [arguments] {
            cli::TraceOptions& given = arguments->options;
            for (const std::string& format : arguments->formats) {
              if (format == "folded")
                throw UsageError(
                    "--report folded: a trace does not know where in the guest exits came from; kvmbench run "
                    "--rip does");
              if (format != "none") given.formats.push_back(&report::format_named(format));
            }
            if (given.report_files.size() > given.formats.size())
              throw UsageError("more --report-file than --report; give each file its --report");
            return cli::trace(given);
          }};
}

}  // namespace kvmbench::arguments
