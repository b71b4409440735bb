/// From an access of any offset and width to the registers, or the single bytes, that it reaches.
#pragma once

#include <cstdint>
#include <string>

#include "devices/device.hpp"

namespace kvmbench {

/// Where a register lies among its device's bytes; at most 4 bytes wide.
struct RegisterPlace {
  std::uint64_t first;
  unsigned bytes;
};

/// What an access puts into one register: only the bits of `mask` are written.
struct RegisterWrite {
  std::uint32_t value = 0;
  std::uint32_t mask = 0;
};

/// "+0x5": the name of a register that the manual gives no name.
[[nodiscard]] std::string unnamed_register(std::uint64_t offset);

/// The part of a write of `width` bytes at `offset` that falls into `place`.
[[nodiscard]] RegisterWrite written_to(RegisterPlace place, std::uint64_t offset, unsigned width,
                                       std::uint64_t value) noexcept;

/// `result` (what a read of `width` bytes at `offset` gives so far) with the bytes of `place` replaced by the
/// register's.
[[nodiscard]] std::uint64_t read_from(RegisterPlace place, std::uint32_t value, std::uint64_t offset,
                                      unsigned width, std::uint64_t result) noexcept;

/// Whether a read or a write of `width` bytes at `offset` reaches the register.
[[nodiscard]] constexpr bool reaches(RegisterPlace place, std::uint64_t offset, unsigned width) noexcept {
  return offset < place.first ? place.first - offset < width : offset - place.first < place.bytes;
}

/// A read of an 8-bit device of `size` registers: the ISA bus splits a wider access into one cycle a byte,
/// lowest address first, each of which `read_byte(offset)` answers.
template <typename ReadByte>
[[nodiscard]] std::uint64_t read_bytes(std::uint64_t offset, unsigned width, std::uint64_t size,
                                       const ReadByte& read_byte) noexcept {
  std::uint64_t value = all_ones(width);
  for (unsigned i = 0; i < width && offset < size && i < size - offset; ++i) {
    value &= ~(std::uint64_t{0xff} << (8 * i));
    value |= std::uint64_t{read_byte(offset + i)} << (8 * i);
  }
  return value;
}

/// The same for a write: `write_byte(offset, byte)`.
template <typename WriteByte>
void write_bytes(std::uint64_t offset, unsigned width, std::uint64_t value, std::uint64_t size,
                 const WriteByte& write_byte) noexcept {
  for (unsigned i = 0; i < width && offset < size && i < size - offset; ++i) {
    write_byte(offset + i, static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

}  // namespace kvmbench
