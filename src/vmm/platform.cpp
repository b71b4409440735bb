#include "vmm/platform.hpp"

#include <algorithm>

#include "devices/pci_firmware.hpp"
#include "devices/pci_routing.hpp"
#include "memory/memory_map.hpp"

namespace kvmbench {
namespace {

using Trigger = InterruptWiring::Trigger;

// Interrupts of a PC's devices, by ISA IRQ, which is the GSI but for the timer's.
constexpr unsigned keyboard_irq = 1, uart1_irq = 3, uart0_irq = 4, rtc_irq = 8, sci_irq = 9;

// Where BARs go: memory up to what the DSDT gives the PCI bus, ports above those of the PC's own devices.
constexpr PciRanges pci_ranges{.memory_first = memory_map::pci_window.value,
                               .memory_end = memory_map::virtio_mmio.value,
                               .ports_first = 0xc000,
                               .ports_end = 0x1'0000};

CmosRtc::MemorySize memory_size(const GuestMemory& memory) {
  const std::uint64_t low = std::min(memory.size(), low_ram_limit);
  return {.below_4g = low, .above_4g = memory.size() - low};
}

}  // namespace

Platform::Platform(const GuestMemory& memory, InterruptWiring& wiring, PowerControl& power,
                   PhaseMarker& marker, const PlatformHost& host)
    : wiring_(wiring),
      uart0_("uart0", wiring.line(uart0_irq, Trigger::edge), *host.serial[0]),
      uart1_("uart1", wiring.line(uart1_irq, Trigger::edge), *host.serial[1]),
      bochs_console_("debugcon0", *host.debug_console),
      firmware_console_("debugcon1", *host.debug_console),
      post_port_(marker),
      debug_exit_(power),
      rtc_(wiring.line(rtc_irq, Trigger::edge), wall_clock_, memory_size(memory)),
      i8042_(wiring.line(keyboard_irq, Trigger::edge), power),
      acpi_pm_(wiring.line(sci_irq, Trigger::level), power, monotonic_clock_),
      port_a_(power),
      reset_control_(power),
      ide_disks_(host.ata, wiring, ports_, pci_) {
  uart0_.set_transmit_observer(marker);
  ports_.attach(0x3f8, Uart16550::size, uart0_);
  ports_.attach(0x2f8, Uart16550::size, uart1_);
  ports_.attach(0xe9, DebugConsole::size, bochs_console_);
  ports_.attach(0x402, DebugConsole::size, firmware_console_);
  ports_.attach(0x80, PostPort::size, post_port_);
  ports_.attach(0xf4, DebugExit::size, debug_exit_);
  ports_.attach(0x70, CmosRtc::size, rtc_);
  ports_.attach(0x60, 1, i8042_, I8042::data_port);
  ports_.attach(0x64, 1, i8042_, I8042::command_port);
  ports_.attach(0x600, AcpiPm::size, acpi_pm_);
  ports_.attach(0xcf8, 1, pci_, PciConfig::config_address);
  ports_.attach(0xcf9, ResetControl::size, reset_control_);
  ports_.attach(0xcfc, 4, pci_, PciConfig::config_data);
  ports_.attach(0x92, SystemControlPortA::size, port_a_);
  if (wiring.io_apic() != nullptr) {
    mmio_.attach(memory_map::io_apic.value, IoApic::size, *wiring.io_apic());
  }
}

void Platform::attach_pci(unsigned device, unsigned number, PciDevice& function, unsigned pin) {
  pci_.attach(device, number, function);
  if (pin != 0) function.connect(pin, wiring_.pci_link(pci_routing::link_of(device, pin)));
}

void Platform::set_up_pci() {
  kvmbench::set_up_pci(pci_, pci_ranges);
}

std::vector<const Device*> Platform::devices() const {
  std::vector<const Device*> devices;
  ports_.list(devices);
  mmio_.list(devices);
  return devices;
}

}  // namespace kvmbench
