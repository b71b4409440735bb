/// The south bridge that a PC's IDE disks are behind, as far as an operating system looks at it to find them.
/// Names: Intel 82371SB (PIIX3) data sheet, order number 290550.
#pragma once

#include <cstdint>

#include "devices/pci_device.hpp"

namespace kvmbench {

/// Function 0, the PCI to ISA bridge. The interrupts of PCI devices do not go through its PIRQ routing, which
/// says so; of its other registers it has the one that Linux writes.
class Piix3IsaBridge final : public PciDevice {
 public:
  Piix3IsaBridge();

  std::uint32_t read_config(unsigned offset) noexcept override;
  void write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept override;

 private:
  std::uint32_t dlc_ = 0;
};

/// Function 1, the IDE interface in legacy mode: the disks answer at the ports of the PC/AT, with IRQ 14 and
/// 15, whatever is written here. It has no bus master registers, so that drivers use PIO.
class Piix3Ide final : public PciDevice {
 public:
  /// Which channels have disks: IDE Decode Enable is set for them, as firmware does.
  Piix3Ide(bool primary, bool secondary);

  std::uint32_t read_config(unsigned offset) noexcept override;
  void write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept override;

 private:
  std::uint32_t io_space_ = 0;
  std::uint32_t idetim_;
  std::uint32_t sidetim_ = 0;
};

}  // namespace kvmbench
