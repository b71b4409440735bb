/// One vCPU's side of guarded memory: what came out of KVM for it, and its ring of modified pages.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "vmm/exit.hpp"
#include "vmm/memory_guard.hpp"
#include "vmm/vcpu.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

class VcpuGuard final {
 public:
  /// All must outlive it. Before the vCPU runs. Throws HostError where KVM lacks what the ranges need.
  VcpuGuard(const Kvm& kvm, const Vm& vm, Vcpu& vcpu, MemoryGuard& guard);

  // On the vCPU's own thread.

  [[nodiscard]] bool covers(std::uint64_t address) const noexcept { return guard_.covers(address); }
  /// False where the run is to end.
  [[nodiscard]] bool serve(const MmioExit& exit) noexcept;
  /// After each return of KVM_RUN: takes the pages out of the ring, so that they are watched again.
  void take_modified() noexcept {
    if (!ring_.empty()) take_from_ring();
  }

 private:
  void take_from_ring() noexcept;

  const Vm& vm_;
  Vcpu& vcpu_;
  MemoryGuard& guard_;
  std::span<kvm_dirty_gfn> ring_;
  std::uint32_t next_ = 0;
  struct Slot {
    std::uint64_t start = 0, pages = 0;
    std::size_t range = 0;
  };
  std::vector<Slot> slots_;  // by number; of no pages where it is not watched
};

}  // namespace kvmbench
