/// One vCPU of KVM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/direction.hpp"
#include "base/unique_fd.hpp"
#include "vmm/boot/boot.hpp"
#include "vmm/kvm.hpp"
#include "vmm/linux_kvm.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// How a guest's TSC follows from the host's, whose rate it has.
struct TscRelation {
  std::uint64_t offset = 0;       ///< guest's - host's, modulo 2^64
  std::uint64_t uncertainty = 0;  ///< cycles by which the offset may be wrong; 0 where KVM itself told it
};

class Vcpu final {
 public:
  /// KVM_CREATE_VCPU. Throws HostError.
  Vcpu(const Kvm& kvm, const Vm& vm, unsigned id);
  Vcpu(const Vcpu&) = delete;
  Vcpu& operator=(const Vcpu&) = delete;
  ~Vcpu();

  [[nodiscard]] unsigned id() const noexcept { return id_; }

  /// KVM_SET_CPUID2; once, before the first run().
  void set_cpuid(const std::vector<kvm_cpuid_entry2>& entries) const;
  /// Registers and segments as the boot protocol wants them.
  void set_entry(const boot::EntryState& entry) const;
  /// KVM_GET_TSC_KHZ: the guest's TSC frequency, which is the host's; 0 where KVM does not know it.
  [[nodiscard]] std::uint64_t tsc_khz() const;
  /// KVM_VCPU_TSC_OFFSET, or where this KVM does not tell it (Linux before 5.16), from reading both clocks.
  /// While the vCPU is not running; a guest that writes its TSC makes it wrong.
  [[nodiscard]] TscRelation tsc_relation() const;

  /// From now on KVM leaves the general registers in area().s.regs at each return of run()
  /// (KVM_CAP_SYNC_REGS), without a further call. Throws HostError where it cannot.
  void keep_registers(const Kvm& kvm);
  /// Where the guest was at the last return of run(); after keep_registers().
  [[nodiscard]] std::uint64_t rip() const noexcept { return area_->s.regs.regs.rip; }

  /// The same without keep_registers(): asks KVM, on the vCPU's own thread. 0 where it does not tell.
  [[nodiscard]] std::uint64_t ask_rip() const noexcept;

  /// This vCPU's ring of modified pages (KVM_CAP_DIRTY_LOG_RING); once. Throws HostError.
  [[nodiscard]] std::span<kvm_dirty_gfn> map_dirty_ring();

  /// Gives the guest's MCA the banks that machine_check() reports by (KVM_X86_SETUP_MCE). Throws HostError
  /// where KVM has none.
  void set_up_machine_checks(const Kvm& kvm) const;
  /// KVM_X86_SET_MCE: #MC for an uncorrected error at `at`. Nothing, and false, while the guest has not done
  /// with the last one (IA32_MCG_STATUS.MCIP), since a second one would shut it down. On the vCPU's own
  /// thread.
  bool machine_check(Gpa at, Direction direction) const noexcept;

  /// KVM_GET_STATS_FD: this vCPU's counters; empty where KVM has none.
  [[nodiscard]] UniqueFd stats() const noexcept;

  /// Where KVM gathers the writes of Vm::coalesce(), of all vCPUs; null where it does not.
  [[nodiscard]] kvm_coalesced_mmio_ring* coalesced_ring(const Kvm& kvm) const;

  /// KVM_RUN: 0, or errno.
  [[nodiscard]] int run() noexcept;
  /// What KVM said of the last run().
  [[nodiscard]] kvm_run& area() noexcept { return *area_; }

  /// Makes the next KVM_RUN, or the present one together with a signal to its thread, return EINTR. Any
  /// thread.
  void request_exit() noexcept;

  /// For reports of a crash, on the vCPU's own thread.
  [[nodiscard]] kvm_regs registers() const;
  [[nodiscard]] kvm_sregs special_registers() const;
  /// KVM_TRANSLATE: where the guest's page tables put a linear address; nullopt where nowhere.
  [[nodiscard]] std::optional<Gpa> translate(std::uint64_t linear) const;

 private:
  [[nodiscard]] TscRelation measured_tsc_relation() const;

  unsigned id_;
  UniqueFd fd_;
  kvm_run* area_;
  std::size_t area_size_;
  std::span<kvm_dirty_gfn> dirty_ring_;
};

}  // namespace kvmbench
