#include "vmm/virtio_slots.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace kvmbench {

using Kick = VirtioOptions::Kick;

VirtioSlots::VirtioSlots(const Kvm& kvm, const Vm& vm, const GuestMemory& memory,
                         const std::vector<VirtioAttachment>& attachments) {
  if (attachments.size() > virtio_gsis.size()) {
    throw UsageError(
        fmt::format("{} virtio devices: a machine has at most {}", attachments.size(), virtio_gsis.size()));
  }
  const bool needs_ioeventfd =
      std::any_of(attachments.begin(), attachments.end(),
                  [](const auto& attachment) { return attachment.options.kick == Kick::ioeventfd; });
  if (needs_ioeventfd && kvm.extension(KVM_CAP_IOEVENTFD) <= 0) {
    throw HostError("this host's KVM lacks KVM_CAP_IOEVENTFD; give virtio devices kick=exit");
  }
  for (const VirtioAttachment& attachment : attachments) {
    slots_.emplace_back(vm, memory, attachment,
                        memory_map::virtio_mmio + slots_.size() * virtio::MmioTransport::size);
  }
}

void VirtioSlots::start(InterruptWiring& wiring, MmioBus& bus) {
  for (std::size_t number = 0; number < slots_.size(); ++number) {
    VirtioSlot& slot = slots_[number];
    slot.start(wiring.line(virtio_gsis[number], InterruptWiring::Trigger::edge));
    const Gpa base = memory_map::virtio_mmio + number * virtio::MmioTransport::size;
    bus.attach(base.value, virtio::MmioTransport::size, slot.transport());
  }
}

void VirtioSlots::finish() noexcept {
  for (VirtioSlot& slot : slots_) slot.finish();
}

}  // namespace kvmbench
