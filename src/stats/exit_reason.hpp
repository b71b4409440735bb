/// Names and explanations of exit reasons: the form of all, and the userspace reasons (KVM_EXIT_*). The
/// hardware's are in stats/hardware_reasons.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kvmbench::stats {

struct ReasonText {
  std::uint32_t reason;
  std::string_view name;         ///< the manual's: "KVM_EXIT_IO", "I/O instruction" (VMX), "VMEXIT_IOIO"
  std::string_view short_name;   ///< for tables and expressions: "io", "IO_INSTRUCTION", "IOIO"
  std::string_view description;  ///< what it is, one sentence
  std::string_view cause;        ///< what usually causes it
  std::string_view remedy;       ///< what lessens it
};

/// Every KVM_EXIT_* of linux/kvm.h up to Linux 7.0, whatever the architecture; a reason is its index.
[[nodiscard]] std::span<const ReasonText> userspace_reasons() noexcept;

/// nullptr for a number that this program does not know.
[[nodiscard]] const ReasonText* userspace_reason(std::uint32_t reason) noexcept;

/// The short name; "exit 63" for an unknown number, "error EAGAIN" for error_reason | errno, "overflow" for
/// overflow_reason.
[[nodiscard]] std::string userspace_reason_name(std::uint32_t reason);

}  // namespace kvmbench::stats
