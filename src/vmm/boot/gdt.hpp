/// The global descriptor table that every mode but real16 starts with, at memory_map::boot_gdt: two null
/// descriptors, flat code and flat data. Selectors as the Linux 64-bit boot protocol demands (__BOOT_CS,
/// __BOOT_DS). Descriptor layout: Intel SDM vol. 3A, 3.4.5.
#pragma once

#include <array>
#include <cstdint>

#include "vmm/boot/boot.hpp"

namespace kvmbench::boot::gdt {

inline constexpr std::size_t code_index = 2;
inline constexpr std::size_t data_index = 3;
inline constexpr std::size_t entries = 4;
inline constexpr std::uint16_t code_selector = code_index * 8;  // 0x10
inline constexpr std::uint16_t data_selector = data_index * 8;  // 0x18
inline constexpr std::uint16_t limit = entries * 8 - 1;         // of GDTR

// Base 0, limit 4 GiB (G = 1), present, DPL 0, accessed.
inline constexpr std::uint64_t code64 = 0x00af'9b00'0000'ffff;  // execute/read, L = 1, D = 0
inline constexpr std::uint64_t code32 = 0x00cf'9b00'0000'ffff;  // execute/read, L = 0, D = 1
inline constexpr std::uint64_t data = 0x00cf'9300'0000'ffff;    // read/write, B = 1

[[nodiscard]] constexpr std::array<std::uint64_t, entries> table(CpuMode mode) {
  return {0, 0, mode == CpuMode::long64 ? code64 : code32, data};
}

}  // namespace kvmbench::boot::gdt
