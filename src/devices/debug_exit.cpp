#include "devices/debug_exit.hpp"

#include <algorithm>

#include "devices/register_access.hpp"

namespace kvmbench {

std::uint64_t DebugExit::read(std::uint64_t offset, unsigned width) noexcept {
  return read_bytes(offset, width, size, [](std::uint64_t) { return std::uint8_t{0}; });
}

void DebugExit::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  if (offset >= size) return;
  const auto inside = static_cast<unsigned>(std::min<std::uint64_t>(width, size - offset));
  power_.debug_exit(static_cast<std::uint32_t>(value & all_ones(inside)));
}

std::string DebugExit::register_name(std::uint64_t offset, Direction) const {
  return offset < size ? "EXIT" : unnamed_register(offset);
}

}  // namespace kvmbench
