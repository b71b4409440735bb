#include "devices/reset_control.hpp"

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

enum : std::uint8_t {
  sys_rst = 1u << 1,   // which reset RST_CPU makes: of the processor only, or hard
  rst_cpu = 1u << 2,   // its way from 0 to 1 is the reset
  full_rst = 1u << 3,  // with a power cycle
  all_bits = sys_rst | rst_cpu | full_rst,
};

}  // namespace

std::uint64_t ResetControl::read(std::uint64_t offset, unsigned width) noexcept {
  return read_bytes(offset, width, size,
                    [this](std::uint64_t) { return value_.load(std::memory_order_relaxed); });
}

void ResetControl::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  write_bytes(offset, width, value, size, [this](std::uint64_t, std::uint8_t byte) {
    const std::uint8_t before = value_.exchange(byte & all_bits, std::memory_order_relaxed);
    if ((before & rst_cpu) == 0 && (byte & rst_cpu) != 0) power_.reset("reset control register 0xcf9");
  });
}

std::string ResetControl::register_name(std::uint64_t offset, Direction) const {
  return offset < size ? "RST_CNT" : unnamed_register(offset);
}

}  // namespace kvmbench
