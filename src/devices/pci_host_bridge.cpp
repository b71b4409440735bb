#include "devices/pci_host_bridge.hpp"

namespace kvmbench {

std::uint32_t PciHostBridge::read_config(unsigned offset) noexcept {
  switch (offset) {
    case 0x00:
      return 0x1237'8086;  // DID, VID
    case 0x04:
      return 0x0280'0006;  // PCISTS: medium DEVSEL#, fast back-to-back; PCICMD: bus master, memory access,
                           // both fixed
    case 0x08:
      return 0x0600'0002;  // CLASSC: host bridge; RID
    default:
      return 0;
  }
}

void PciHostBridge::write_config(unsigned, std::uint32_t, std::uint32_t) noexcept {}

}  // namespace kvmbench
