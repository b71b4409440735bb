/// How sectors are addressed by cylinder, head and sector, for programs that do not know LBA (ATA/ATAPI-5).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace kvmbench::ata {

struct ChsAddress {
  std::uint16_t cylinder;
  std::uint8_t head;
  std::uint8_t sector;  ///< counts from 1
};

struct Geometry {
  std::uint16_t cylinders;
  std::uint8_t heads;              ///< 1 to 16
  std::uint8_t sectors_per_track;  ///< 1 to 255

  /// What of `sectors` can be reached with so many heads and sectors.
  [[nodiscard]] static Geometry of(std::uint64_t sectors, std::uint8_t heads,
                                   std::uint8_t sectors_per_track) noexcept {
    // 16,383 is as many as a disk of 8 GB or more shows.
    const std::uint64_t cylinders = std::min<std::uint64_t>(sectors / (heads * sectors_per_track), 16383);
    return {static_cast<std::uint16_t>(cylinders), heads, sectors_per_track};
  }
  [[nodiscard]] std::uint32_t sectors() const noexcept {
    return std::uint32_t{cylinders} * heads * sectors_per_track;
  }
  /// nullopt for a head or sector that there is not; the cylinder is not checked.
  [[nodiscard]] std::optional<std::uint64_t> lba_of(ChsAddress address) const noexcept {
    if (address.head >= heads || address.sector == 0 || address.sector > sectors_per_track)
      return std::nullopt;
    return (std::uint64_t{address.cylinder} * heads + address.head) * sectors_per_track + address.sector - 1;
  }
  [[nodiscard]] ChsAddress chs_of(std::uint64_t lba) const noexcept {
    const std::uint64_t track = lba / sectors_per_track;
    return {static_cast<std::uint16_t>(track / heads), static_cast<std::uint8_t>(track % heads),
            static_cast<std::uint8_t>(lba % sectors_per_track + 1)};
  }
};

}  // namespace kvmbench::ata
