#include "devices/register_access.hpp"

#include <fmt/format.h>

namespace kvmbench {

namespace {

/// Calls `visit(i, j)` for each byte i of the access that is byte j of the register.
template <typename Visit>
void for_common_bytes(RegisterPlace place, std::uint64_t offset, unsigned width,
                      const Visit& visit) noexcept {
  for (unsigned j = 0; j < place.bytes; ++j) {
    const std::uint64_t at = place.first + j;
    if (at >= offset && at - offset < width) visit(static_cast<unsigned>(at - offset), j);
  }
}

}  // namespace

std::string unnamed_register(std::uint64_t offset) {
  return fmt::format("+{:#x}", offset);
}

RegisterWrite written_to(RegisterPlace place, std::uint64_t offset, unsigned width,
                         std::uint64_t value) noexcept {
  RegisterWrite write;
  for_common_bytes(place, offset, width, [&](unsigned i, unsigned j) {
    write.value |= static_cast<std::uint32_t>((value >> (8 * i)) & 0xff) << (8 * j);
    write.mask |= std::uint32_t{0xff} << (8 * j);
  });
  return write;
}

std::uint64_t read_from(RegisterPlace place, std::uint32_t value, std::uint64_t offset, unsigned width,
                        std::uint64_t result) noexcept {
  for_common_bytes(place, offset, width, [&](unsigned i, unsigned j) {
    result &= ~(std::uint64_t{0xff} << (8 * i));
    result |= std::uint64_t{(value >> (8 * j)) & 0xff} << (8 * i);
  });
  return result;
}

}  // namespace kvmbench
