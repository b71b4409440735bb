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
#include "vmm/coalesced_writes.hpp"
#include "vmm/interrupt_wiring.hpp"

namespace kvmbench {

/// A disk, and how its channel is connected; two disks of a channel agree.
struct IdeDisk {
  ata::DriveConfig drive;
  /// What is written to the data register, and to those that only keep what a command will want, gathers in
  /// KVM (CoalescedWrites), so that a sector to be written is some two exits, not one a word.
  bool coalesced = false;
};

class IdeDisks final {
 public:
  static constexpr std::size_t most = 4;

  /// `disks` in the order primary master, primary slave, secondary master, secondary slave; their storages
  /// outlive this. Nothing is attached where there is none. Throws UsageError for more than four.
  IdeDisks(const std::vector<IdeDisk>& disks, InterruptWiring& wiring, PortBus& ports, PciConfig& pci);

  /// Where writes are to gather. Throws UsageError where two disks of a channel do not agree, HostError where
  /// this KVM cannot gather writes to ports.
  [[nodiscard]] static std::vector<CoalescedWrites::Range> coalesced_ranges(
      const Kvm& kvm, const std::vector<IdeDisk>& disks);

 private:
  std::array<std::unique_ptr<ata::Channel>, 2> channels_;
  std::optional<Piix3IsaBridge> bridge_;
  std::optional<Piix3Ide> ide_;
};

}  // namespace kvmbench
