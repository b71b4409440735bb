#include "vmm/pci_network_cards.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "devices/pci_config.hpp"

namespace kvmbench {
namespace {

constexpr unsigned first_device = 3, inta = 1;
constexpr std::size_t most = PciConfig::devices_per_bus - first_device;

}  // namespace

PciNetworkCards::PciNetworkCards(const std::vector<PciNetworkCard>& wanted, GuestMemory& memory,
                                 Platform& platform) {
  if (wanted.size() > most) {
    throw UsageError(fmt::format("{} PCI network cards: a machine has at most {}", wanted.size(), most));
  }
  for (const PciNetworkCard& each : wanted) {
    const auto device = static_cast<unsigned>(first_device + cards_.size());
    e1000::Card& card = *cards_.emplace_back(each.make(memory));
    card.add_bars(platform.mmio(), platform.ports());
    platform.attach_pci(device, 0, card.pci(), inta);
  }
}

}  // namespace kvmbench
