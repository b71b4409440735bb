/// System control port A, port 0x92. IBM PS/2 Hardware Interface Technical Reference, "System Control Port
/// A"; Intel's chipsets have it as PORT92, the fast A20 and INIT register.
#pragma once

#include <atomic>

#include "devices/device.hpp"
#include "devices/power_control.hpp"

namespace kvmbench {

/// Bit 1 (alternate gate A20) holds what is written and gates nothing: no address line is ever forced low
/// here. It starts set, as firmware leaves it. Bit 0 resets on its way from 0 to 1.
class SystemControlPortA final : public Device {
 public:
  static constexpr std::uint64_t size = 1;

  explicit SystemControlPortA(PowerControl& power) noexcept : power_(power) {}

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "port92"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  PowerControl& power_;
  std::atomic<std::uint8_t> value_{0x02};
};

}  // namespace kvmbench
