#include "vmm/ide_disks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace kvmbench {
namespace {

/// Where a PC/AT has its two hard disk controllers.
struct Place {
  const char* name;
  std::uint16_t command_block;
  std::uint16_t control_block;
  unsigned irq;
};
constexpr std::array<Place, 2> places = {{{"ata0", 0x1f0, 0x3f6, 14}, {"ata1", 0x170, 0x376, 15}}};
constexpr unsigned piix3_device = 1, isa_function = 0, ide_function = 1;

}  // namespace

std::vector<CoalescedWrites::Range> IdeDisks::coalesced_ranges(const Kvm& kvm,
                                                               const std::vector<IdeDisk>& disks) {
  std::vector<CoalescedWrites::Range> ranges;
  for (std::size_t number = 0; number < std::min(disks.size(), most); ++number) {
    const Place& place = places[number / 2];
    if (number % 2 == 1 && disks[number].coalesced != disks[number - 1].coalesced) {
      throw UsageError(fmt::format(
          "disks {} and {} of model ata are on one channel, whose ports both have: give pio=coalesced to "
          "both or to neither",
          number - 1, number));
    }
    if (!disks[number].coalesced || number % 2 == 1) continue;
    if (kvm.extension(KVM_CAP_COALESCED_PIO) <= 0) {
      throw HostError("this host's KVM lacks KVM_CAP_COALESCED_PIO, which pio=coalesced needs; use pio=exit");
    }
    ranges.push_back(
        {.space = Vm::Space::ports,
         .first = place.command_block,
         .bytes = ata::Channel::command_block_size - 1,  // the last one is the command, which acts
         .awaited = true});
  }
  return ranges;
}

IdeDisks::IdeDisks(const std::vector<IdeDisk>& disks, InterruptWiring& wiring, PortBus& ports,
                   PciConfig& pci) {
  if (disks.empty()) return;
  if (disks.size() > most) {
    throw UsageError(
        fmt::format("{} disks of model ata: there are two channels of two; use model=virtio for "
                    "the others",
                    disks.size()));
  }
  for (std::size_t first = 0; first < disks.size(); first += 2) {
    const Place& place = places[first / 2];
    auto& channel = channels_[first / 2];
    channel = std::make_unique<ata::Channel>(
        place.name, wiring.line(place.irq, InterruptWiring::Trigger::edge), disks[first].drive,
        first + 1 < disks.size() ? &disks[first + 1].drive : nullptr);
    ports.attach(place.command_block, ata::Channel::command_block_size, *channel);
    ports.attach(place.control_block, 1, *channel, ata::Channel::control_block);
  }
  bridge_.emplace();
  ide_.emplace(true, disks.size() > 2);
  pci.attach(piix3_device, isa_function, *bridge_);
  pci.attach(piix3_device, ide_function, *ide_);
}

}  // namespace kvmbench
