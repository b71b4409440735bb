#include "cli/run_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "cli/report_output.hpp"
#include "vmm/host_facts.hpp"

namespace kvmbench::cli {
namespace {

std::string name_of(const GuestStatsWays& ways) {
  std::vector<std::string_view> names;
  if (ways.port) names.push_back("port");
  if (ways.msr) names.push_back("msr");
  if (ways.page) names.push_back("page");
  return names.empty() ? "off" : fmt::format("{}", fmt::join(names, ", "));
}

/// The names of the addresses that exits came from.
std::map<std::uint64_t, std::string> names_of_sites(const symbols::SymbolTable& symbols,
                                                    const stats::Snapshot& snapshot) {
  std::map<std::uint64_t, std::string> names;
  for (const stats::VcpuSnapshot& vcpu : snapshot.vcpus) {
    for (const stats::SiteStats& site : vcpu.sites) {
      if (std::string name = symbols.name_of(site.site.rip); !name.empty())
        names.emplace(site.site.rip, std::move(name));
    }
  }
  return names;
}

report::Facts machine_facts(const RunOptions& options, boot::Protocol protocol) {
  report::Facts facts = {
      {"image", options.image},
      {"protocol", std::string(boot::name_of(protocol))},
      {"memory", fmt::format("{} MiB{}", options.memory >> 20, options.huge_pages ? " in huge pages" : "")},
      {"vcpus", fmt::to_string(options.cpus)},
      {"irqchip", std::string(name_of(options.irqchip))},
      {"guest stats", name_of(options.guest_stats)},
  };
  if (!options.command_line.empty()) facts.emplace_back("command line", options.command_line);
  if (options.initrd) facts.emplace_back("initrd", *options.initrd);
  for (const std::string& module : options.modules) facts.emplace_back("module", module);
  for (const std::string& range : options.protect) facts.emplace_back("protect", range);
  for (const std::string& range : options.watch) facts.emplace_back("watch", range);
  for (const std::string& feature : options.cpuid_mask) facts.emplace_back("cpuid mask", feature);
  return facts;
}

}  // namespace

report::Report make_report(const RunOptions& options, const Machine& machine, boot::Protocol protocol,
                           const RunTimes& times, const symbols::SymbolTable& symbols) {
  report::Report report;
  report.kvmbench_version = KVMBENCH_VERSION;
  report.started = times.started;
  report.wall_seconds = times.wall_seconds;
  report.host = host_facts();
  report.machine = machine_facts(options, protocol);
  const Ending ending = machine.ending();
  report.ending = machine.stopping() ? describe(ending) : "running";
  report.exit_status = machine.stopping() ? exit_status(ending) : 0;
  report.snapshot = machine.snapshot();
  report.snapshot.tsc_khz = times.tsc_khz;
  for (const Device* device : machine.platform().devices()) report.devices.emplace_back(device->name());
  const auto name = [&](const stats::ExitKey& key) {
    const Machine::Answerer answerer = machine.answerer_of(key);
    if (answerer.device != nullptr)
      report.set_name(key, {std::string(answerer.device->name()), answerer.register_name});
  };
  for (const stats::KeyStats& row : stats::by_key(report.snapshot, stats::Phases::merged)) name(row.key);
  for (const stats::HardwareDetailStats& traced :
       report.snapshot.traced().value_or(stats::TracedExits{}).details) {
    if (const auto key = report::key_of(traced.detail)) name(*key);
  }
  report.guarded = machine.guard().account();
  report.symbols = names_of_sites(symbols, report.snapshot);
  return report;
}

void check_report_files(const RunOptions& options) {
  namespace fs = std::filesystem;
  for (const std::string& path : options.report_files) {
    const auto refuse = [&path](const std::string& why) {
      throw UsageError(fmt::format("--report-file {}: {}; give another path", path, why));
    };
    if (path.empty()) refuse("is no file's name");
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) refuse("is a directory");
    const bool written_in_place = fs::exists(path, ignored) && !fs::is_regular_file(path, ignored);
    const fs::path target = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
    const fs::path needed = written_in_place ? target : target.parent_path();
    if (::access(needed.c_str(), written_in_place ? W_OK : W_OK | X_OK) != 0) {
      refuse(fmt::format("cannot write {} {}: {}", written_in_place ? "to" : "into", needed.string(),
                         std::strerror(errno)));
    }
  }
}

void write_reports(const RunOptions& options, const report::Report& report,
                   const report::Timeline* timeline) {
  const auto shown = [&](bool to_stdout) {
    report::RenderOptions how = render_options(to_stdout, options.split_phases);
    how.chart = options.chart;
    how.timeline = timeline;
    return how;
  };
  std::optional<UsageError> failure;
  for (std::size_t i = 0; i < options.formats.size(); ++i) {
    const bool to_stdout = i >= options.report_files.size();
    try {
      const report::Format& format = report::format_named(options.formats[i]);
      const std::string text = format.render(report, shown(to_stdout));
      to_stdout ? write_stdout(text) : report::write_file(options.report_files[i], text);
    } catch (const UsageError& error) {
      if (!failure) failure = error;
    }
  }
  if (failure) throw *failure;
}

}  // namespace kvmbench::cli
