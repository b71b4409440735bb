/// What this host's KVM is, as far as it decides which exits there can be: read from /proc, /sys and
/// /dev/cpu.
#pragma once

#include <filesystem>

#include "stats/hardware_reasons.hpp"

namespace kvmbench {

/// The vendor is that of the KVM module that is loaded, kvm_intel or kvm_amd; unknown where it is neither.
/// What cannot be read stays empty (the capability MSRs need root and the msr module).
[[nodiscard]] stats::KvmHost read_kvm_host(const std::filesystem::path& root = "/");

}  // namespace kvmbench
