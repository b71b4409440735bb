/// The reset control register, port 0xcf9. Intel ICH9 data sheet, 13.7.5 "RST_CNT: Reset Control Register";
/// the PIIX3 has it as RC, without FULL_RST.
#pragma once

#include <atomic>

#include "devices/device.hpp"
#include "devices/power_control.hpp"

namespace kvmbench {

class ResetControl final : public Device {
 public:
  static constexpr std::uint64_t size = 1;

  explicit ResetControl(PowerControl& power) noexcept : power_(power) {}

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "reset-control"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  PowerControl& power_;
  std::atomic<std::uint8_t> value_{0};
};

}  // namespace kvmbench
