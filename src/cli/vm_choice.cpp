#include "cli/vm_choice.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/report_output.hpp"
#include "cli/standard_streams.hpp"
#include "report/printable.hpp"
#include "report/text_table.hpp"

namespace kvmbench::cli {
namespace {

std::string name_of(const trace::VmProcess& process) {
  return process.name.empty() ? "-" : process.name;
}

UsageError with_list(const std::string& problem, const trace::VmProcesses& found) {
  std::string names;
  for (const trace::VmProcess& process : found.processes)
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", process.process,
                         report::printable(name_of(process)));
  return UsageError(fmt::format("{}; there {} {}", problem, found.processes.size() == 1 ? "is" : "are",
                                names.empty() ? "none that can be seen (kvmbench trace --list)" : names));
}

}  // namespace

void print_vms(const trace::VmProcesses& found) {
  using report::TextColumn;
  report::TextTable table({{.title = "PID", .align = TextColumn::Align::right},
                           {.title = "name", .align = TextColumn::Align::left},
                           {.title = "program", .align = TextColumn::Align::left},
                           {.title = "VMs"},
                           {.title = "vCPUs"}});
  for (const trace::VmProcess& process : found.processes) {
    table.add({fmt::to_string(process.process), report::printable(name_of(process)),
               report::printable(process.program), fmt::to_string(process.vms.size()),
               fmt::to_string(process.vcpus.size())});
  }
  if (found.processes.empty()) {
    write_stdout("No process that can be looked into has a VM.\n");
  } else {
    write_stdout(table.render(render_options(true, false).width, false));
  }
  if (found.closed != 0)
    tell(fmt::format("{} processes may not be looked into: it takes CAP_SYS_PTRACE", found.closed));
}

std::vector<trace::VmProcess> chosen_vms(const TraceOptions& options) {
  if (options.process) {
    trace::VmProcess process = trace::find_vm(*options.process);
    if (process.vms.empty())
      throw with_list(fmt::format("-p {}: this process has no VM", *options.process), trace::find_vms());
    return {process};
  }
  trace::VmProcesses found = trace::find_vms();
  if (options.all) return std::move(found.processes);
  if (!options.name) {
    if (found.processes.size() == 1) return std::move(found.processes);
    throw with_list("say which VM to trace, by -p PID, --vm NAME or --all", found);
  }
  std::vector<trace::VmProcess> named;
  for (const trace::VmProcess& process : found.processes) {
    if (process.name == *options.name) named.push_back(process);
  }
  if (named.size() != 1) {
    throw with_list(
        fmt::format("--vm {}: {} VMs have this name", report::printable(*options.name), named.size()), found);
  }
  return named;
}

}  // namespace kvmbench::cli
