/// What a PC's firmware does to the PCI bus before an operating system sees it.
#pragma once

#include <cstdint>

#include "devices/pci_config.hpp"

namespace kvmbench {

/// Address ranges for base address registers, [first, end).
struct PciRanges {
  std::uint64_t memory_first;
  std::uint64_t memory_end;
  std::uint32_t ports_first;
  std::uint32_t ports_end;
};

/// Finds the functions of bus 0 by configuration cycles, sizes their base address registers, gives each its
/// own range, enables the decoding of both spaces, and writes into the Interrupt Line registers the IRQ of
/// the 8259s that each pin is wired to (pci_routing.hpp). Bus mastering stays off: that is for drivers.
/// Throws std::logic_error where the ranges do not suffice. After all functions are attached.
void set_up_pci(PciConfig& pci, const PciRanges& ranges);

}  // namespace kvmbench
