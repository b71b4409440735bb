/// The port by which a test guest ends its machine with a status: QEMU's isa-debug-exit with iobase=0xf4,
/// iosize=4.
#pragma once

#include "devices/device.hpp"
#include "devices/power_control.hpp"

namespace kvmbench {

/// Four byte-wide ports. A write to any of them ends the machine with the value written, of the width it is
/// written with (bytes that fall past the fourth port are not part of it). Reads give 0.
class DebugExit final : public Device {
 public:
  static constexpr std::uint64_t size = 4;

  explicit DebugExit(PowerControl& power) noexcept : power_(power) {}

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "debug-exit"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  PowerControl& power_;
};

}  // namespace kvmbench
