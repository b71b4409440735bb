/// What the guest is told of its physical memory: one list, which e820, the PVH memory map and the multiboot
/// memory map carry with the same numbers for the types.
#pragma once

#include <cstdint>
#include <vector>

#include "memory/guest_memory.hpp"

namespace kvmbench::boot {

/// Types: ACPI 6.4, table 15.2 (address range types).
enum class MemoryType : std::uint32_t { usable = 1, reserved = 2 };

struct MemoryRange {
  Gpa start;
  std::uint64_t size;
  MemoryType type;
};

/// In ascending order, without overlap.
[[nodiscard]] std::vector<MemoryRange> memory_ranges(const GuestMemory& memory);

}  // namespace kvmbench::boot
