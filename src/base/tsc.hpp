/// The time stamp counter of this CPU.
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace kvmbench {

/// Not serialising: around a system call the kernel's entry and exit order it well enough.
[[nodiscard]] inline std::uint64_t read_tsc() noexcept {
  return __rdtsc();
}

}  // namespace kvmbench
