#include "vmm/vcpu_guard.hpp"

#include "base/tsc.hpp"

namespace kvmbench {

VcpuGuard::VcpuGuard(const Kvm& kvm, const Vm& vm, Vcpu& vcpu, MemoryGuard& guard)
    : vm_(vm), vcpu_(vcpu), guard_(guard) {
  if (guard.injects()) vcpu.set_up_machine_checks(kvm);
  if (!guard.has(GuardedRange::Kind::watched_ring)) return;
  ring_ = vcpu.map_dirty_ring();
  for (const RamSlot& slot : guard.slots()) {
    const bool watched = (slot.flags & KVM_MEM_LOG_DIRTY_PAGES) != 0 && slot.range;
    slots_.push_back(watched ? Slot{slot.start.value, slot.bytes.size() / guest_page, *slot.range} : Slot{});
  }
}

bool VcpuGuard::serve(const MmioExit& exit) noexcept {
  const GuardedRange::Action action = guard_.serve({.address = exit.address,
                                                    .direction = exit.direction,
                                                    .width = exit.width,
                                                    .data = exit.data,
                                                    .vcpu = vcpu_.id(),
                                                    .rip = vcpu_.ask_rip(),
                                                    .when = read_tsc()});
  if (action == GuardedRange::Action::inject && vcpu_.machine_check(Gpa{exit.address}, exit.direction))
    guard_.told(exit.address);
  return action != GuardedRange::Action::stop;
}

// Documentation/virt/kvm/api.rst, 8.29: an entry that KVM has filled is DIRTY; the one who takes it makes it
// RESET.
void VcpuGuard::take_from_ring() noexcept {
  bool any = false;
  for (std::size_t taken = 0; taken < ring_.size(); ++taken) {
    kvm_dirty_gfn& entry = ring_[next_];
    if ((__atomic_load_n(&entry.flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY) == 0) break;
    const std::uint32_t slot = entry.slot & 0xffff;  // above it, the address space
    if (slot < slots_.size() && entry.offset < slots_[slot].pages) {
      guard_.modified(slots_[slot].range, slots_[slot].start + entry.offset * guest_page, vcpu_.id(),
                      read_tsc());
    }
    __atomic_store_n(&entry.flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
    next_ = (next_ + 1) % static_cast<std::uint32_t>(ring_.size());
    any = true;
  }
  if (any) vm_.reset_dirty_rings();
}

}  // namespace kvmbench
