/// What an exit is counted under.
#pragma once

#include <cstdint>

#include "base/direction.hpp"

namespace kvmbench::stats {

/// TSC cycles.
using Cycles = std::uint64_t;

/// Reasons 0 to 0x7fff'fffe are KVM_EXIT_* of linux/kvm.h, known to this program or not. KVM_RUN that failed
/// is counted too: error_reason | errno (EINTR, which KVM reports as KVM_EXIT_INTR, excepted).
inline constexpr std::uint32_t error_reason = 0x8000'0000;

/// Stands for several reasons and phases: see overflow_key.
inline constexpr std::uint32_t overflow_reason = 0x7fff'ffff;

struct ExitKey {
  std::uint64_t address =
      0;                     ///< port, guest-physical address, MSR, hypercall number or the reason's sub-code
  std::uint32_t reason = 0;  ///< KVM_EXIT_* or error_reason | errno
  std::uint16_t phase = 0;   ///< index into the run's phases
  std::uint8_t width = 0;    ///< bytes an access moves; 0 where the reason has none
  Direction direction = Direction::none;

  friend bool operator==(const ExitKey&, const ExitKey&) = default;
};
static_assert(sizeof(ExitKey) == 16);

/// The address under which a full table counts further keys of a reason and phase, with width 0 and no
/// direction.
inline constexpr std::uint64_t overflow_address = ~std::uint64_t{0};

/// The key under which a table counts what it has no other room for, whatever its reason and phase.
inline constexpr ExitKey overflow_key{overflow_address, overflow_reason, 0, 0, Direction::none};

}  // namespace kvmbench::stats
