/// The page in which one vCPU's guest reads its own counts without an exit. (docs/guest-interface.md, "Shared
/// page")
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kvmbench_abi.h"
#include "stats/exit_counts.hpp"

namespace kvmbench {

/// Only ever called on its vCPU's thread, or before that runs. What the guest writes into the page spoils its
/// own view; nothing is read back.
class ExitCountPage final {
 public:
  /// `memory` is what the guest sees: KVMBENCH_PAGE_BYTES bytes, aligned to 8, which must outlive this. Its
  /// header is filled in, all counts are 0.
  ExitCountPage(std::span<std::byte> memory, std::uint32_t vcpu);

  /// Whether the guest has asked for the page: where not, refresh() is not to be called.
  [[nodiscard]] bool kept() const noexcept { return kept_; }
  void keep(bool wanted) noexcept;

  /// Writes the counts as they are now: after an exit is recorded, before the vCPU runs again.
  void refresh(const stats::ExitCounts& counts) noexcept;

 private:
  void begin() noexcept;
  void end() noexcept;

  kvmbench_page& page_;
  std::uint32_t sequence_ = 0;
  bool kept_ = false;
};

}  // namespace kvmbench
