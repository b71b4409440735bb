/// The devices that every machine has, and the buses they are on.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "devices/acpi_pm.hpp"
#include "devices/bus.hpp"
#include "devices/clock.hpp"
#include "devices/cmos_rtc.hpp"
#include "devices/debug_console.hpp"
#include "devices/debug_exit.hpp"
#include "devices/i8042.hpp"
#include "devices/pci_config.hpp"
#include "devices/pci_device.hpp"
#include "devices/post_port.hpp"
#include "devices/reset_control.hpp"
#include "devices/system_control_port_a.hpp"
#include "devices/uart16550.hpp"
#include "memory/guest_memory.hpp"
#include "vmm/ide_disks.hpp"
#include "vmm/interrupt_wiring.hpp"
#include "vmm/phase_marker.hpp"

namespace kvmbench {

/// Where the platform's characters go.
struct PlatformHost {
  std::array<CharacterSink*, 2> serial;  ///< of uart0 and uart1
  CharacterSink* debug_console;          ///< of ports 0xe9 and 0x402
  std::vector<IdeDisk> ata{};            ///< disks, in the order of IdeDisks
};

class Platform final {
 public:
  Platform(const GuestMemory& memory, InterruptWiring& wiring, PowerControl& power, PhaseMarker& marker,
           const PlatformHost& host);

  [[nodiscard]] const PortBus& ports() const noexcept { return ports_; }
  [[nodiscard]] PortBus& ports() noexcept {
    return ports_;
  }  // to attach further devices to, before the machine runs
  [[nodiscard]] const MmioBus& mmio() const noexcept { return mmio_; }
  [[nodiscard]] MmioBus& mmio() noexcept { return mmio_; }
  /// All that are on a bus, each once.
  [[nodiscard]] std::vector<const Device*> devices() const;
  /// `number` is 0 or 1.
  [[nodiscard]] Uart16550& uart(std::size_t number) { return number == 0 ? uart0_ : uart1_; }
  [[nodiscard]] CmosRtc& rtc() noexcept { return rtc_; }

  /// Puts a PCI device at 00:`device`.`number`, and its interrupt pin (1 INTA# to 4; 0 none) on its link.
  void attach_pci(unsigned device, unsigned number, PciDevice& function, unsigned pin);
  /// What firmware does, once all PCI devices are attached: addresses and interrupts.
  void set_up_pci();

 private:
  InterruptWiring& wiring_;
  PortBus ports_;
  MmioBus mmio_;
  HostWallClock wall_clock_;
  HostMonotonicClock monotonic_clock_;
  Uart16550 uart0_;
  Uart16550 uart1_;
  DebugConsole bochs_console_;
  DebugConsole firmware_console_;
  PostPort post_port_;
  DebugExit debug_exit_;
  CmosRtc rtc_;
  I8042 i8042_;
  AcpiPm acpi_pm_;
  PciConfig pci_;
  SystemControlPortA port_a_;
  ResetControl reset_control_;
  IdeDisks ide_disks_;
};

}  // namespace kvmbench
