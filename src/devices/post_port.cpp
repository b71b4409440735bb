#include "devices/post_port.hpp"

#include "devices/register_access.hpp"

namespace kvmbench {

std::uint64_t PostPort::read(std::uint64_t offset, unsigned width) noexcept {
  return read_bytes(offset, width, size,
                    [this](std::uint64_t) { return code_.load(std::memory_order_relaxed); });
}

void PostPort::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  write_bytes(offset, width, value, size, [this](std::uint64_t, std::uint8_t code) {
    code_.store(code, std::memory_order_relaxed);
    marks_.post_code(code);
  });
}

std::string PostPort::register_name(std::uint64_t offset, Direction) const {
  return offset < size ? "POST" : unnamed_register(offset);
}

}  // namespace kvmbench
