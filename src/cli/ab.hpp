/// kvmbench run --ab: the same guest with emulated devices and then with paravirtual ones, side by side.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/run.hpp"

namespace kvmbench::cli {

/// What --ab takes: services, or all of them.
inline constexpr std::string_view ab_services = "console|disk|net|all";

/// The options of one of the two runs: those given, with `model` for the devices of `service`, one of
/// ab_services; other devices stay what they are. Throws UsageError where there is no such device, or its
/// options name a model already.
[[nodiscard]] RunOptions with_model(const RunOptions& options, std::string_view service, DeviceModel model);

/// Both runs and the comparison of their reports, in the formats and to the files of the options. The exit
/// status is that of the first run that fails, which ends it all. Throws UsageError, HostError.
[[nodiscard]] int run_ab(const RunOptions& options, std::string_view service);

}  // namespace kvmbench::cli
