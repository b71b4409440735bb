/// The way of an exit: KVM_RUN, decode, serve, record.
#pragma once

#include <atomic>
#include <cstdint>

#include "devices/bus.hpp"
#include "stats/exit_site.hpp"
#include "stats/phase_table.hpp"
#include "stats/recorder.hpp"
#include "vmm/coalesced_writes.hpp"
#include "vmm/ending.hpp"
#include "vmm/exit.hpp"
#include "vmm/guest_stats.hpp"
#include "vmm/vcpu.hpp"
#include "vmm/vcpu_guard.hpp"

namespace kvmbench {

/// Told of what a vCPU alone cannot settle. Any vCPU thread.
class RunEvents {
 public:
  virtual ~RunEvents() = default;
  virtual void ended(const Ending& ending) noexcept = 0;
  /// KVM_EXIT_IOAPIC_EOI: the guest has ended the interrupt `vector`.
  virtual void end_of_interrupt(std::uint8_t vector) noexcept = 0;
  /// stop() has been called: an interrupted vCPU is to leave its loop.
  [[nodiscard]] virtual bool stop_requested() const noexcept = 0;
};

class RunLoop final {
 public:
  RunLoop(Vcpu& vcpu, stats::Recorder& recorder, const stats::PhaseTable& phases, const PortBus& ports,
          const MmioBus& mmio, RunEvents& events, VcpuGuestStats* guest_stats, stats::SiteTable* sites,
          VcpuGuard* guard, CoalescedWrites* coalesced) noexcept
      : vcpu_(vcpu),
        recorder_(recorder),
        phases_(phases),
        ports_(ports),
        mmio_(mmio),
        events_(events),
        guest_stats_(guest_stats),
        sites_(sites),
        guard_(guard),
        coalesced_(coalesced) {}

  /// Runs the vCPU until the machine ends. Every return of KVM_RUN is recorded. False where this vCPU itself
  /// could not go on: kvm_run, or error(), then still says why.
  [[nodiscard]] bool run() noexcept;
  /// The same without a look at the clock and without a record: what accounting costs is measured against it.
  [[nodiscard]] bool run_without_account() noexcept;
  /// errno of the KVM_RUN that failed; 0 where none has.
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  enum class Next { enter, stop };
  /// What became of an exit, and what it is counted under.
  struct Served {
    Next next;
    stats::ExitKey key;
    std::uint32_t transfers = 1;
  };

  /// What KVM_RUN came back with, `error` being its errno or 0.
  Served serve_last(int error) noexcept;
  Next serve(const Exit& exit) noexcept;
  Next serve(const PioExit& exit) noexcept;
  Next serve(const MmioExit& exit) noexcept;
  Next serve(const MsrExit& exit) noexcept;
  Next serve(HltExit) noexcept;
  Next serve(InterruptedExit) noexcept;
  Next serve(AgainExit) noexcept;
  Next serve(IoApicEoiExit exit) noexcept;
  Next serve(DirtyRingFullExit) noexcept;
  Next serve(ShutdownExit) noexcept;
  Next serve(FailEntryExit exit) noexcept;
  Next serve(InternalErrorExit exit) noexcept;
  Next serve(FailedExit exit) noexcept;
  Next serve(UnservedExit exit) noexcept;
  Next fail(Ending::Kind kind, std::string_view text = {}, int error = 0) noexcept;

  Vcpu& vcpu_;
  stats::Recorder& recorder_;
  const stats::PhaseTable& phases_;
  const PortBus& ports_;
  const MmioBus& mmio_;
  RunEvents& events_;
  VcpuGuestStats* const guest_stats_;  // null where the guest has no view of its own
  stats::SiteTable* const sites_;      // null where it is not asked where exits come from
  VcpuGuard* const guard_;             // null where no memory is guarded
  CoalescedWrites* const coalesced_;   // null where every write is an exit
  bool failed_ = false;
  int error_ = 0;
};

}  // namespace kvmbench
