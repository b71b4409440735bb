/// How what the tracer saw of the hardware's exits agrees with what was counted elsewhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "stats/snapshot.hpp"

namespace kvmbench::report {

/// The hardware's exits as counted in three places, over the same time.
struct HardwareAccounting {
  std::uint64_t traced = 0;              ///< seen by the tracer
  std::optional<std::uint64_t> counted;  ///< KVM's own `exits`
  std::uint64_t to_userspace = 0;        ///< traced exits after which KVM_RUN returned
  std::uint64_t returns = 0;             ///< of KVM_RUN

  /// counted - traced; nothing where the kernel keeps no count.
  [[nodiscard]] std::optional<std::int64_t> unexplained() const;
  /// Traced exits that KVM served itself.
  [[nodiscard]] std::uint64_t kernel_handled() const { return traced - std::min(to_userspace, traced); }
  /// Returns without an exit of their own: for a signal, for the second part of an access.
  [[nodiscard]] std::int64_t returns_without_exit() const {
    return static_cast<std::int64_t>(returns - to_userspace);
  }
  /// KVM counted exits, or KVM_RUN returned where nobody counts, and none was announced.
  [[nodiscard]] bool no_hardware_exits() const { return traced == 0 && counted.value_or(returns) > 0; }
};
/// Nothing where no tracer was at work.
[[nodiscard]] std::optional<HardwareAccounting> hardware_accounting(const stats::Snapshot& snapshot);

}  // namespace kvmbench::report
