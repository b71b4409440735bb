/// The ATA disks of a machine where a PC has them: two channels at the legacy ports, behind a PIIX3.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "devices/ata/channel.hpp"
#include "devices/bus.hpp"
#include "devices/pci_config.hpp"
#include "devices/piix3.hpp"
#include "vmm/interrupt_wiring.hpp"

namespace kvmbench {

class IdeDisks final {
 public:
  static constexpr std::size_t most = 4;

  /// `disks` in the order primary master, primary slave, secondary master, secondary slave; their storages
  /// outlive this. Nothing is attached where there is none. Throws UsageError for more than four.
  IdeDisks(const std::vector<ata::DriveConfig>& disks, InterruptWiring& wiring, PortBus& ports,
           PciConfig& pci);

 private:
  std::array<std::unique_ptr<ata::Channel>, 2> channels_;
  std::optional<Piix3IsaBridge> bridge_;
  std::optional<Piix3Ide> ide_;
};

}  // namespace kvmbench
