/// The kernel's account of CPU vulnerabilities, in one line.
#pragma once

#include <filesystem>
#include <string>

namespace kvmbench {

/// Of /sys/devices/system/cpu/vulnerabilities (Documentation/ABI/testing/sysfs-devices-system-cpu): what is
/// vulnerable, what is mitigated and how, and how many do not affect this CPU.
[[nodiscard]] std::string summarise_mitigations(const std::filesystem::path& directory);

}  // namespace kvmbench
