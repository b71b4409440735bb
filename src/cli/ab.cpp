#include "cli/ab.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/error.hpp"
#include "cli/compare.hpp"
#include "cli/run_report.hpp"
#include "cli/standard_streams.hpp"
#include "report/compare.hpp"

namespace kvmbench::cli {
namespace {

constexpr std::array models = {DeviceModel::emulated, DeviceModel::paravirtual};
constexpr std::array<std::string_view, models.size()> labels = {"emulated", "paravirtual"};

/// The specs of --disk or --net, with the device's model in each.
std::vector<std::string> with_models(std::string_view option, std::vector<std::string> specs,
                                     std::string_view model) {
  for (std::string& spec : specs) {
    if (spec.find(",model=") != std::string::npos) {
      throw UsageError(
          fmt::format("{} {}: --ab chooses the model of each run; leave out model=", option, spec));
    }
    spec += fmt::format(",model={}", model);
  }
  return specs;
}

void require(bool present, std::string_view service, std::string_view option) {
  if (present) return;
  throw UsageError(fmt::format("--ab {0}: the machine has no {0}; give it one by {1}", service, option));
}

/// Of what a run leaves nothing but its report is kept, and so the intervals and the comparison would mix.
void check(const RunOptions& options) {
  if (options.interval > 0) throw UsageError("--ab runs two guests; --interval follows one: leave it out");
  for (const std::string& name : options.formats) {
    if (report::format_named(name).compare == nullptr) {
      throw UsageError(fmt::format("--report {} shows no comparison, which --ab is for", name));
    }
  }
}

}  // namespace

RunOptions with_model(const RunOptions& options, std::string_view service, DeviceModel model) {
  const bool all = service == "all", paravirtual = model == DeviceModel::paravirtual;
  RunOptions of_run = options;
  if (all) of_run.devices = model;
  if (service == "console" || all) {
    const bool has_options = options.console && options.console->starts_with("virtio");
    of_run.console = !paravirtual ? "uart" : has_options ? *options.console : "virtio";
  }
  if (service == "disk" || all) {
    require(all || !options.disks.empty(), "disk", "--disk");
    of_run.disks = with_models("--disk", options.disks, paravirtual ? "virtio" : "ata");
  }
  if (service == "net" || all) {
    require(all || !options.networks.empty(), "net", "--net");
    of_run.networks = with_models("--net", options.networks, paravirtual ? "virtio" : "e1000");
  }
  return of_run;
}

int run_ab(const RunOptions& options, std::string_view service) {
  check(options);
  check_report_files(options);
  std::array<std::optional<report::Report>, models.size()> reports;
  std::vector<report::Side> sides;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const RunOptions of_run = with_model(options, service, models[i]);
    tell(fmt::format("--ab {}: the run with {} devices", service, labels[i]));
    RunResult result = run_guest(of_run);
    if (result.status != 0) return result.status;
    reports[i] = std::move(result.report);
    sides.push_back({std::string(labels[i]), &*reports[i]});
  }
  const report::Comparison comparison = report::compare(std::move(sides));
  for (std::size_t i = 0; i < options.formats.size(); ++i) {
    const bool to_file = i < options.report_files.size();
    write_comparison(comparison, options.formats[i],
                     to_file ? std::optional(options.report_files[i]) : std::nullopt);
  }
  return 0;
}

}  // namespace kvmbench::cli
