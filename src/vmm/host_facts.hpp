/// What the host is, as far as the cost of an exit depends on it: read from /proc and /sys, no KVM call.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kvmbench {

/// Name and value, in the order they are shown: what report::Facts is.
using HostFacts = std::vector<std::pair<std::string, std::string>>;

/// CPU, kernel, KVM module and its parameters, mitigations, TSC and governor of the host whose file system is
/// at `root`. What cannot be read is "unknown" with the reason; nothing is left out, so that two hosts
/// compare line by line.
[[nodiscard]] HostFacts host_facts(const std::filesystem::path& root = "/");

/// Whether cycles of the TSC are a measure of time: one rate at all frequencies, and in idle states too
/// (Intel SDM vol. 3, "Invariant TSC"; AMD APM vol. 3, CPUID Fn8000_0007_EDX[8]), as the kernel's flags
/// constant_tsc and nonstop_tsc tell. A flag that cannot be read is not set.
struct TscSupport {
  bool constant = false;
  bool nonstop = false;
};
[[nodiscard]] TscSupport tsc_support(const std::filesystem::path& root = "/");

}  // namespace kvmbench
