/// The network cards on the PCI bus: 00:03.0, 00:04.0 and so on, each with INTA#.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "devices/e1000/card.hpp"
#include "memory/guest_memory.hpp"
#include "vmm/platform.hpp"

namespace kvmbench {

/// A PCI network card that a machine is to have.
struct PciNetworkCard {
  /// Called once, while the machine is built; what the card refers to must outlive the machine.
  std::function<std::unique_ptr<e1000::Card>(GuestMemory&)> make;
};

class PciNetworkCards final {
 public:
  /// Makes them and puts them on the buses. Throws UsageError where they are more than there are places.
  PciNetworkCards(const std::vector<PciNetworkCard>& wanted, GuestMemory& memory, Platform& platform);

 private:
  std::vector<std::unique_ptr<e1000::Card>> cards_;
};

}  // namespace kvmbench
