#include "devices/device.hpp"

#include <cstring>

namespace kvmbench {

void Device::read_string(std::uint64_t offset, unsigned width, std::span<std::byte> to) noexcept {
  for (; to.size() >= width; to = to.subspan(width)) {
    const std::uint64_t value = read(offset, width);
    std::memcpy(to.data(), &value, width);
  }
}

void Device::write_string(std::uint64_t offset, unsigned width, std::span<const std::byte> from) noexcept {
  for (; from.size() >= width; from = from.subspan(width)) {
    std::uint64_t value = 0;
    std::memcpy(&value, from.data(), width);
    write(offset, width, value);
  }
}

}  // namespace kvmbench
