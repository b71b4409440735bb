/// What the first vCPU needs in memory to run at all in the mode it starts in: descriptor table, stack, page
/// tables.
#pragma once

#include "vmm/boot/boot.hpp"
#include "vmm/boot/load_plan.hpp"

namespace kvmbench::boot {

/// Where the identity map of long64 ends.
inline constexpr std::uint64_t identity_map_end = 0x1'0000'0000;

/// Plans the GDT and the stack (protected32, long64) and the identity map (long64); nothing for real16.
void place_environment(CpuMode mode, LoadPlan& plan);

}  // namespace kvmbench::boot
