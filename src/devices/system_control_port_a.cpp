#include "devices/system_control_port_a.hpp"

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

enum : std::uint8_t {
  fast_reset = 1u << 0,
  alternate_gate_a20 = 1u << 1,
  all_bits = fast_reset | alternate_gate_a20,
};

}  // namespace

std::uint64_t SystemControlPortA::read(std::uint64_t offset, unsigned width) noexcept {
  return read_bytes(offset, width, size,
                    [this](std::uint64_t) { return value_.load(std::memory_order_relaxed); });
}

void SystemControlPortA::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  write_bytes(offset, width, value, size, [this](std::uint64_t, std::uint8_t byte) {
    const std::uint8_t before = value_.exchange(byte & all_bits, std::memory_order_relaxed);
    if ((before & fast_reset) == 0 && (byte & fast_reset) != 0) power_.reset("port 0x92 fast reset");
  });
}

std::string SystemControlPortA::register_name(std::uint64_t offset, Direction) const {
  return offset < size ? "PORT92" : unnamed_register(offset);
}

}  // namespace kvmbench
