/// PCI configuration mechanism #1, ports 0xcf8 to 0xcff. Section numbers: PCI Local Bus Specification 3.0.
#pragma once

#include <array>
#include <mutex>

#include "devices/device.hpp"
#include "devices/pci_host_bridge.hpp"

namespace kvmbench {

/// Bus 0 with a host bridge at 00:00.0, and whatever functions are attached. A function that is not there
/// reads as all ones (3.2.2.3.4, 6.1); a write to it is dropped.
///
/// CONFIG_ADDRESS is reached only by a 32-bit access at +0 (3.2.2.3.2): one of another width is an ordinary
/// I/O access to ports that other devices may have (0xcf9 is the reset control register), here to nobody.
/// Attach this device at 0xcf8 for 1 port and at 0xcfc for 4 ports with offset 4, where another device has
/// 0xcf9.
class PciConfig final : public Device {
 public:
  static constexpr std::uint64_t config_address = 0;
  static constexpr std::uint64_t config_data = 4;
  static constexpr std::uint64_t size = 8;
  static constexpr unsigned devices_per_bus = 32;
  static constexpr unsigned functions_per_device = 8;

  PciConfig();

  /// Puts a function at 00:`device`.`function`. Throws std::logic_error where there is one already or no such
  /// place: only while the machine is built.
  void attach(unsigned device, unsigned function, PciFunction& pci_function);

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "pci"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

 private:
  [[nodiscard]] PciFunction* selected() const noexcept;

  PciHostBridge host_bridge_;
  std::array<PciFunction*, devices_per_bus * functions_per_device> functions_{};  // by device * 8 + function

  std::mutex mutex_;  // held while a function is accessed
  std::uint32_t address_ = 0;
};

}  // namespace kvmbench
