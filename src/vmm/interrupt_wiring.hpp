/// From a device's interrupt line to whatever controllers the machine has.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "devices/interrupt_line.hpp"
#include "devices/io_apic.hpp"
#include "devices/shared_line.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// Makes the lines of a machine: irqfds to KVM's controllers (full), pins of the I/O APIC in devices/ whose
/// messages go to KVM's local APICs (split), or wires to nowhere (none).
class InterruptWiring final {
 public:
  enum class Trigger { edge, level };

  /// Creates KVM's part of the controllers (Vm::create_irqchip).
  InterruptWiring(const Kvm& kvm, const Vm& vm, Irqchip irqchip, unsigned cpus);

  /// The line to global system interrupt `gsi`. While the machine is built; the reference stays good.
  [[nodiscard]] InterruptLine& line(unsigned gsi, Trigger trigger);

  /// One more device's end of link `number` of PCI (devices/pci_routing.hpp), which is level-triggered and
  /// shared. While the machine is built; the reference stays good.
  [[nodiscard]] InterruptLine& pci_link(unsigned number);

  /// Beyond the pins: where messages go that no pin sends.
  static constexpr unsigned message_gsi = gsi_count;
  /// Routes `message_gsi` to this message; false where KVM refuses, or has no local APICs. One thread at a
  /// time.
  bool route_message(std::uint64_t address, std::uint32_t data) noexcept;

  /// The I/O APIC to put on the MMIO bus; null unless Irqchip::split.
  [[nodiscard]] IoApic* io_apic() noexcept { return io_apic_.get(); }

 private:
  /// Sends messages by KVM_SIGNAL_MSI, and keeps KVM's routing table equal to the unmasked entries, from
  /// which KVM knows for which vectors to report the end of interrupt.
  class Messages final : public MessageSink {
   public:
    explicit Messages(const Vm& vm) noexcept : vm_(vm) {}
    void send(std::uint64_t address, std::uint32_t data) noexcept override { vm_.signal_msi(address, data); }
    void route(unsigned pin, std::uint64_t address, std::uint32_t data, bool masked) noexcept override;
    /// Of message_gsi.
    bool route_further(std::uint64_t address, std::uint32_t data) noexcept;

   private:
    bool tell_kvm() noexcept;
    struct Route {
      std::uint64_t address = 0;
      std::uint32_t data = 0;
      bool masked = true;
    };
    const Vm& vm_;
    std::mutex mutex_;  // of the routes, held until KVM has them, so that it gets the last ones last
    std::array<Route, IoApic::pins + 1> routes_{};
  };

  const Vm& vm_;
  Irqchip irqchip_;
  Messages messages_;
  std::unique_ptr<IoApic> io_apic_;
  std::vector<std::unique_ptr<InterruptLine>> lines_;
  std::deque<SharedLine> pci_links_;  // none until one is asked for
};

}  // namespace kvmbench
