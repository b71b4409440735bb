/// The places for virtio devices: fixed registers and interrupts, in the order in which devices are attached.
///
///     slot  registers   GSI           slot  registers   GSI
///     0     0xd0000000   7            4     0xd0004000  21
///     1     0xd0001000  12            5     0xd0005000  22
///     2     0xd0002000  13            6     0xd0006000  23
///     3     0xd0003000  20
///
/// A page a slot, so that a guest can give a device to a program of its own. Each interrupt is
/// edge-triggered, which an irqfd makes by one write, and therefore its slot's alone: GSIs that neither the
/// platform nor PCI uses. The first three are ISA interrupts, which a kernel that does not look into the
/// ACPI tables, told of a device by virtio_mmio.device=4K@0xd0000000:7, has as well. In the ACPI tables
/// virtio.asl has the same numbers.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "devices/bus.hpp"
#include "memory/memory_map.hpp"
#include "vmm/interrupt_wiring.hpp"
#include "vmm/virtio_slot.hpp"

namespace kvmbench {

inline constexpr std::array<unsigned, 7> virtio_gsis = {7, 12, 13, 20, 21, 22, 23};

class VirtioSlots final {
 public:
  /// Makes the devices (VirtioSlot). Throws UsageError where they are more than there are slots.
  VirtioSlots(const Kvm& kvm, const Vm& vm, const GuestMemory& memory,
              const std::vector<VirtioAttachment>& attachments);

  /// Puts them on the bus and begins to serve them, once the interrupt controllers are there.
  void start(InterruptWiring& wiring, MmioBus& bus);
  /// VirtioSlot::finish() of all.
  void finish() noexcept;

  [[nodiscard]] unsigned used() const noexcept { return static_cast<unsigned>(slots_.size()); }

 private:
  std::deque<VirtioSlot> slots_;
};

}  // namespace kvmbench
