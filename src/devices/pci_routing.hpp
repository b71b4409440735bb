/// How the interrupt pins of PCI functions are wired: four links, shared by all of them. The DSDT's _PRT
/// (vmm/boot/dsdt.asl) says the same.
#pragma once

#include <array>
#include <cstdint>

namespace kvmbench::pci_routing {

inline constexpr unsigned links = 4;
/// Links 0 to 3 are global system interrupts 16 to 19, ...
inline constexpr unsigned first_gsi = 16;
/// ... and, to an operating system that uses the 8259s, these IRQs.
inline constexpr std::array<std::uint8_t, links> pic_irqs = {10, 11, 5, 6};

/// The link of a device's pin (1: INTA#, as in the Interrupt Pin register): each device begins at another
/// one, so that single-function devices, which all have INTA#, spread over the links (PCI Local Bus
/// Specification 3.0, 2.2.6, implementation note).
[[nodiscard]] constexpr unsigned link_of(unsigned device, unsigned pin) noexcept {
  return (device + pin - 1) % links;
}

}  // namespace kvmbench::pci_routing
