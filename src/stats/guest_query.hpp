/// What the guest's exit-count interface answers: a function of the counts and nothing else.
/// (docs/guest-interface.md, ABI 1)
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stats/exit_counts.hpp"
#include "stats/hardware_reasons.hpp"

namespace kvmbench::stats {

struct Answer {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// What the machine knows of hardware reasons, fixed before its guest runs.
struct HardwareAccount {
  Vendor vendor = Vendor::unknown;
  ReasonSet defined;
  ReasonSet never_enabled;
  bool counted = false;  ///< something counts them

  [[nodiscard]] static HardwareAccount of(const KvmHost& host, bool counted);
};

/// The answer to `leaf` and `reason`, whatever they are.
[[nodiscard]] Answer answer(std::uint32_t leaf, std::uint32_t reason, const HardwareAccount& hardware,
                            const ExitCounts& counts) noexcept;

/// What RDMSR of the first MSR + `index` gives; nothing where it injects #GP.
[[nodiscard]] std::optional<std::uint64_t> read_msr(std::uint32_t index, const HardwareAccount& hardware,
                                                    const ExitCounts& counts) noexcept;

/// The CPUID leaves of the interface.
struct InterfaceLeaves {
  std::uint16_t first_port = 0;
  std::uint32_t first_msr = 0;
  std::uint32_t features = 0;  ///< KVMBENCH_FEATURE_*, without the vendor
  Vendor vendor = Vendor::unknown;
  std::uint64_t first_page = 0;  ///< GPA
  std::uint32_t tsc_khz = 0;
};
/// Leaf 0x4fffff00 and those after it. What the features lack reads as 0.
[[nodiscard]] std::array<Answer, 3> cpuid_leaves(const InterfaceLeaves& interface) noexcept;

}  // namespace kvmbench::stats
