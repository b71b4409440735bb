/// One virtual machine of KVM: its memory, interrupt controllers and interrupt lines.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "memory/guest_memory.hpp"
#include "vmm/kvm.hpp"
#include "vmm/linux_kvm.hpp"
#include "vmm/memory_guard.hpp"

namespace kvmbench {

/// Where the interrupt controllers are (api.rst, KVM_CREATE_IRQCHIP and KVM_CAP_SPLIT_IRQCHIP).
enum class Irqchip {
  full,   ///< local APICs, I/O APIC, 8259 pair and 8254 timer in the kernel
  split,  ///< local APICs in the kernel, the I/O APIC in this program; no 8259, no 8254
  none,   ///< none at all: HLT becomes a userspace exit, and nothing interrupts the guest
};
[[nodiscard]] std::string_view name_of(Irqchip irqchip);

/// Number of I/O APIC pins, and so of global system interrupts.
inline constexpr unsigned gsi_count = 24;

/// Of each vCPU's ring of modified pages, where there is one: KVM keeps some 600 of its entries free, for the
/// pages that a vCPU can still modify when it is told that the ring is full.
inline constexpr std::uint32_t dirty_ring_entries = 4096;

class Vm final {
 public:
  /// Creates the VM with the RAM that `guard` cuts into slots, whose memory must outlive it; slot i is
  /// guard.slots()[i]. Throws HostError.
  Vm(const Kvm& kvm, const MemoryGuard& guard);

  /// Makes the interrupt controllers that `irqchip` wants in the kernel, for `cpus` vCPUs: before the first
  /// vCPU, and after all memory is mapped, as KVM then waits for readers of what a later change replaces.
  /// Throws HostError.
  void create_irqchip(const Kvm& kvm, Irqchip irqchip, unsigned cpus) const;

  /// KVM_CAP_HALT_POLL: how many nanoseconds KVM may wait awake for a halted vCPU of this machine, 0 for not
  /// at all, instead of what the module's parameter says. Throws HostError.
  void limit_halt_polling(const Kvm& kvm, std::uint64_t nanoseconds) const;
  /// KVM_CAP_X86_DISABLE_EXITS: `instructions` ("hlt", "pause", "mwait", "cstate") no longer leave the guest.
  /// Before the first vCPU. Throws UsageError for a name that is none, HostError where this KVM cannot.
  void disable_exits(const Kvm& kvm, std::span<const std::string> instructions) const;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /// KVM_GET_STATS_FD: the VM's own counters; empty where KVM has none.
  [[nodiscard]] UniqueFd stats() const noexcept;

  /// KVM_SET_USER_MEMORY_REGION in a slot of its own; `bytes`, whole pages, must outlive the VM. While the
  /// machine is built, on one thread.
  void map_memory(Gpa start, std::span<std::byte> bytes, std::uint32_t flags = 0) const;
  /// KVM_GET_DIRTY_LOG: a bit for each page of a slot that has been written since it was last asked for, and
  /// room for `pages` of them. False where KVM could not.
  bool dirty_log(std::uint32_t slot, std::span<std::uint64_t> pages) const noexcept;
  /// KVM_RESET_DIRTY_RINGS: what has been taken out of the vCPUs' rings is watched again.
  void reset_dirty_rings() const noexcept;
  /// KVM_X86_SET_MSR_FILTER: accesses to MSRs [first, first + count) come back as KVM_EXIT_X86_RDMSR and
  /// WRMSR; all others stay as they are. `count` is a multiple of 64. Throws HostError.
  void take_msrs(std::uint32_t first, std::uint32_t count) const;

  /// KVM_IRQFD: each write to the returned eventfd is one edge on `gsi`. (Irqchip::full)
  [[nodiscard]] UniqueFd edge_irqfd(unsigned gsi) const;
  /// KVM_IOEVENTFD: KVM adds 1 to `eventfd` for each 32-bit write of `value` at `at`, which is then no exit
  /// to userspace. As long as the VM lives. Throws HostError.
  void ring_on_write(int eventfd, Gpa at, std::uint32_t value) const;
  enum class Space { ports, memory };
  /// The same of writes of `width` bytes, of any width where that is 0, and of any value where none is given.
  /// (KVM_CAP_IOEVENTFD_ANY_LENGTH where it is 0)
  void ring_on_access(int eventfd, Space space, std::uint64_t at, std::uint32_t width,
                      std::optional<std::uint64_t> value) const;
  /// KVM_REGISTER_COALESCED_MMIO: writes to [at, at + bytes) gather in the ring that Vcpu::coalesced_ring()
  /// gives, and the one that finds it full is an exit. (KVM_CAP_COALESCED_MMIO, KVM_CAP_COALESCED_PIO)
  void coalesce(Space space, std::uint64_t at, std::uint32_t bytes) const;
  /// KVM_IRQ_LINE. (Irqchip::full)
  void set_irq_level(unsigned gsi, bool asserted) const noexcept;
  /// GSI first_gsi + i also goes to IRQ irqs[i] of the 8259s.
  struct PicRoutes {
    unsigned first_gsi = 0;
    std::span<const std::uint8_t> irqs{};
  };
  /// KVM_SET_GSI_ROUTING: KVM's default routes, and these, which are made level-triggered (ELCR), as a PC's
  /// firmware connects the links of PCI. (Irqchip::full; while the machine is built)
  void route_to_pic(const PicRoutes& routes) const;
  /// KVM_SIGNAL_MSI: false where no vCPU took it. No allocation.
  bool signal_msi(std::uint64_t address, std::uint32_t data) const noexcept;
  struct MsiRoute {
    std::uint32_t gsi;
    std::uint64_t address;
    std::uint32_t data;
  };
  /// KVM_SET_GSI_ROUTING: KVM's default routes, and these; the message's GSI is beyond those of the pins.
  /// (Irqchip::full)
  bool set_routes(const PicRoutes& pic, const MsiRoute& message) const noexcept;
  /// KVM_SET_GSI_ROUTING with one message route a GSI, and nothing else. (Irqchip::split)
  bool set_msi_routes(const MsiRoute* routes, std::size_t count) const noexcept;

 private:
  void enable_dirty_rings(const Kvm& kvm) const;
  void allow_wide_apic_ids(const Kvm& kvm) const;

  UniqueFd fd_;
  mutable std::uint32_t slots_ = 0;
};

}  // namespace kvmbench
