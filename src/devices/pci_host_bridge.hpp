/// The host bridge that a PC operating system expects at 00:00.0. Intel 440FX PCIset data sheet
/// (82441FX), 3.2.
#pragma once

#include "devices/pci_function.hpp"

namespace kvmbench {

/// Its header only: there is no firmware to shadow and no DRAM to time, so the registers for that read as 0,
/// and no register can be written.
class PciHostBridge final : public PciFunction {
 public:
  std::uint32_t read_config(unsigned offset) noexcept override;
  void write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept override;
};

}  // namespace kvmbench
