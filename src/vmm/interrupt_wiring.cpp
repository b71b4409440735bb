#include "vmm/interrupt_wiring.hpp"

#include "devices/pci_routing.hpp"
#include "vmm/interrupt_lines.hpp"

namespace kvmbench {

static_assert(IoApic::pins == gsi_count);

InterruptWiring::InterruptWiring(const Kvm& kvm, const Vm& vm, Irqchip irqchip, unsigned cpus)
    : vm_(vm), irqchip_(irqchip), messages_(vm) {
  vm.create_irqchip(kvm, irqchip, cpus);
  if (irqchip == Irqchip::split) io_apic_ = std::make_unique<IoApic>(messages_);
}

InterruptLine& InterruptWiring::line(unsigned gsi, Trigger trigger) {
  switch (irqchip_) {
    case Irqchip::split:
      return io_apic_->pin(gsi);
    case Irqchip::full:
      if (trigger == Trigger::level) {
        lines_.push_back(std::make_unique<LevelLine>(vm_, gsi));
      } else {
        lines_.push_back(std::make_unique<IrqfdLine>(vm_, gsi));
      }
      break;
    case Irqchip::none:
      lines_.push_back(std::make_unique<UnconnectedLine>());
      break;
  }
  return *lines_.back();
}

InterruptLine& InterruptWiring::pci_link(unsigned number) {
  if (pci_links_.empty()) {
    if (irqchip_ == Irqchip::full) vm_.route_to_pic({pci_routing::first_gsi, pci_routing::pic_irqs});
    for (unsigned link = 0; link < pci_routing::links; ++link) {
      pci_links_.emplace_back(line(pci_routing::first_gsi + link, Trigger::level));
    }
  }
  return pci_links_.at(number).add_source();
}

bool InterruptWiring::route_message(std::uint64_t address, std::uint32_t data) noexcept {
  switch (irqchip_) {
    case Irqchip::full: {
      // The links of PCI are routed only once there is one.
      const Vm::PicRoutes links{pci_routing::first_gsi, pci_routing::pic_irqs};
      return vm_.set_routes(pci_links_.empty() ? Vm::PicRoutes{} : links, {message_gsi, address, data});
    }
    case Irqchip::split:
      return messages_.route_further(address, data);
    case Irqchip::none:
      break;
  }
  return false;
}

void InterruptWiring::Messages::route(unsigned pin, std::uint64_t address, std::uint32_t data,
                                      bool masked) noexcept {
  const std::lock_guard lock(mutex_);
  routes_[pin] = {address, data, masked};
  tell_kvm();
}

bool InterruptWiring::Messages::route_further(std::uint64_t address, std::uint32_t data) noexcept {
  const std::lock_guard lock(mutex_);
  routes_[message_gsi] = {address, data, false};
  return tell_kvm();
}

bool InterruptWiring::Messages::tell_kvm() noexcept {
  std::array<Vm::MsiRoute, std::tuple_size_v<decltype(routes_)>> table{};
  std::size_t count = 0;
  for (std::uint32_t gsi = 0; gsi < routes_.size(); ++gsi) {
    if (!routes_[gsi].masked) table[count++] = {gsi, routes_[gsi].address, routes_[gsi].data};
  }
  return vm_.set_msi_routes(table.data(), count);
}

}  // namespace kvmbench
