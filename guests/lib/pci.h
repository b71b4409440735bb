/// PCI by configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2): bus 0.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pci_function {
  uint8_t device, function;
};

/// Configuration header (6.1).
enum {
  pci_id = 0x00,  ///< vendor, device above
  pci_command = 0x04,
  pci_bar0 = 0x10,
  pci_interrupt_line = 0x3c,
};
enum { pci_command_memory = 2, pci_command_bus_master = 4 };

uint32_t pci_read(struct pci_function function, unsigned offset);
void pci_write(struct pci_function function, unsigned offset, uint32_t value);

/// The first function on bus 0 with that vendor and device ID. A device's functions beyond 0 are asked for
/// where its header says that there are several: one read of pci_id for each device, and of the header type
/// where it is there.
bool pci_find(uint16_t vendor, uint16_t device, struct pci_function* function);
