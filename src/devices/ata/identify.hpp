/// The 512 bytes that IDENTIFY DEVICE answers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "devices/ata/geometry.hpp"

namespace kvmbench::ata {

/// As many sectors as one interrupt of READ or WRITE MULTIPLE moves at most.
inline constexpr std::uint8_t max_multiple = 16;

struct Identity {
  std::uint64_t sectors;
  std::string_view serial;  ///< at most 20 characters count
  Geometry default_geometry;
  Geometry current_geometry;
  std::uint8_t multiple;  ///< SET MULTIPLE MODE; 0: off
  bool write_cache;
  bool look_ahead;
};

[[nodiscard]] std::array<std::uint8_t, 512> identify(const Identity& identity) noexcept;

}  // namespace kvmbench::ata
