/// Interrupt lines whose other end is KVM's in-kernel interrupt controllers (Irqchip::full).
#pragma once

#include <atomic>

#include "base/unique_fd.hpp"
#include "devices/interrupt_line.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// An edge-triggered ISA line, by irqfd: its rising edge is one write to an eventfd.
class IrqfdLine final : public InterruptLine {
 public:
  IrqfdLine(const Vm& vm, unsigned gsi) : event_(vm.edge_irqfd(gsi)) {}
  void set(bool asserted) noexcept override;

 private:
  UniqueFd event_;
  std::atomic<bool> asserted_{false};
};

/// A level-triggered line, by KVM_IRQ_LINE: an irqfd only makes edges, and a level that outlasts the end of
/// interrupt must interrupt again. For lines that change rarely (the ACPI SCI).
class LevelLine final : public InterruptLine {
 public:
  LevelLine(const Vm& vm, unsigned gsi) : vm_(vm), gsi_(gsi) {}
  void set(bool asserted) noexcept override { vm_.set_irq_level(gsi_, asserted); }

 private:
  const Vm& vm_;
  unsigned gsi_;
};

}  // namespace kvmbench
