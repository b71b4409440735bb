#include "lib/pci.h"

#include "lib/cpu.h"

enum { port_config_address = 0xcf8, port_config_data = 0xcfc };
enum { devices = 32, functions = 8, header_type = 0x0c, multi_function = 0x800000, nobody = 0xffff };

static void select(struct pci_function function, unsigned offset) {
  const uint32_t enable = 1u << 31;
  out32(port_config_address,
        enable | (uint32_t)function.device << 11 | (uint32_t)function.function << 8 | offset);
}

uint32_t pci_read(struct pci_function function, unsigned offset) {
  select(function, offset);
  return in32(port_config_data);
}

void pci_write(struct pci_function function, unsigned offset, uint32_t value) {
  select(function, offset);
  out32(port_config_data, value);
}

bool pci_find(uint16_t vendor, uint16_t device, struct pci_function* found) {
  const uint32_t wanted = (uint32_t)device << 16 | vendor;
  for (uint8_t number = 0; number < devices; ++number) {
    unsigned count = 1;
    for (uint8_t function = 0; function < count; ++function) {
      const struct pci_function at = {number, function};
      const uint32_t id = pci_read(at, pci_id);
      *found = at;
      if (id == wanted) return true;
      const bool there = (id & 0xffff) != nobody;
      if (function == 0 && there && pci_read(at, header_type) & multi_function) count = functions;
    }
  }
  return false;
}
