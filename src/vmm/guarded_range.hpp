/// A range of guest-physical memory that the guest may not use as it likes, or whose changes are of interest.
#pragma once

#include <cstdint>
#include <string>

#include "memory/guest_memory.hpp"

namespace kvmbench {

inline constexpr std::uint64_t guest_page = 4096;
/// Of one machine; what is looked through at an access.
inline constexpr std::size_t most_guarded_ranges = 64;

struct GuardedRange {
  enum class Kind {
    off_limits,      ///< --protect ...:none
    read_only,       ///< --protect ...:ro
    watched_exit,    ///< --watch ...,by=exit: each write comes out of KVM and is served
    watched_bitmap,  ///< by=bitmap: KVM_GET_DIRTY_LOG
    watched_ring,    ///< by=ring: KVM_CAP_DIRTY_LOG_RING
  };
  /// What follows an access of protected memory; it has no effect on the memory in any case.
  enum class Action {
    report,  ///< nothing but that
    inject,  ///< a machine check tells the guest
    stop,    ///< the run ends
  };
  Gpa first;
  std::uint64_t length = 0;  ///< bytes, whole pages
  Kind kind = Kind::off_limits;
  Action action = Action::report;

  [[nodiscard]] Gpa last() const noexcept { return first + (length - 1); }
  [[nodiscard]] bool contains(std::uint64_t address) const noexcept {
    return address >= first.value && address - first.value < length;
  }
  [[nodiscard]] bool is_protected() const noexcept {
    return kind == Kind::off_limits || kind == Kind::read_only;
  }
};

/// As the options say it: "none,action=report", "watch,by=ring".
[[nodiscard]] std::string rule_of(const GuardedRange& range);

}  // namespace kvmbench
