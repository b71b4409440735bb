/// A machine: memory, interrupt controllers, buses, devices and vCPUs, put together from a MachineConfig.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "memory/guest_memory.hpp"
#include "stats/phase_table.hpp"
#include "stats/recorder.hpp"
#include "trace/counter_file.hpp"
#include "trace/exit_tracer.hpp"
#include "vmm/coalesced_writes.hpp"
#include "vmm/cpuid.hpp"
#include "vmm/dirty_bitmap.hpp"
#include "vmm/ending.hpp"
#include "vmm/exit_probe.hpp"
#include "vmm/guest_stats.hpp"
#include "vmm/interrupt_wiring.hpp"
#include "vmm/kvm.hpp"
#include "vmm/memory_guard.hpp"
#include "vmm/pci_network_cards.hpp"
#include "vmm/phase_marker.hpp"
#include "vmm/platform.hpp"
#include "vmm/raising_thread.hpp"
#include "vmm/rtc_timer.hpp"
#include "vmm/run_loop.hpp"
#include "vmm/vcpu.hpp"
#include "vmm/virtio_slots.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

struct MachineConfig {
  std::uint64_t memory = 512ull << 20;  ///< bytes
  GuestMemory::Backing backing = GuestMemory::Backing::normal_pages;
  unsigned cpus = 1;
  Irqchip irqchip = Irqchip::full;
  std::vector<CpuidBit> masked_cpuid;
  GuestStatsWays guest_stats;
  bool interrupt_source = false;  ///< the test device of docs/interrupt-source.md
  std::optional<std::uint64_t>
      halt_poll_ns;  ///< how long KVM polls before a halted vCPU sleeps; as the host has it
  std::vector<std::string> disabled_exits;  ///< instructions that do not leave the guest: "hlt", "mwait", ...
  std::vector<GuardedRange> guarded;
  std::chrono::nanoseconds dirty_log_period = std::chrono::milliseconds(10);  ///< of watched_bitmap
  bool record_sites = false;  ///< where in the guest exits come from
  bool account = true;        ///< record exits; without, only the guest and KVM know of them
  bool exit_probe = false;    ///< registers that only measure KVM (Irqchip::full)
  std::optional<std::string>
      mark_on_serial;  ///< expression (ECMAScript) whose match in a line of output is a mark
};

/// What the machine needs of its host.
struct MachineHost {
  boost::asio::io_context& io;  ///< timers of devices run here
  PlatformHost platform;
  std::vector<VirtioAttachment> virtio;  ///< in the order of their slots
  std::vector<PciNetworkCard> network_cards;
  const trace::ExitTracer* tracer = nullptr;  ///< of this process's exits; null where none is at work
  std::function<void()> ended;  ///< called once, on a vCPU's thread, when the last vCPU has stopped
};

class Machine final : private RunEvents, private PowerControl {
 public:
  /// Throws UsageError for a configuration that cannot be, HostError where KVM refuses.
  Machine(const Kvm& kvm, const MachineConfig& config, MachineHost host);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() override;

  [[nodiscard]] GuestMemory& memory() noexcept { return memory_; }
  [[nodiscard]] Platform& platform() noexcept { return platform_; }
  [[nodiscard]] const Platform& platform() const noexcept { return platform_; }
  [[nodiscard]] const MemoryGuard& guard() const noexcept { return guard_; }
  [[nodiscard]] PhaseMarker& phase_marker() noexcept { return marker_; }
  /// How many virtio slots have a device, from the first on.
  [[nodiscard]] unsigned virtio_slots() const noexcept { return virtio_.used(); }
  /// kHz; 0 where KVM does not know it.
  [[nodiscard]] std::uint64_t tsc_khz() const { return vcpus_.front()->vcpu.tsc_khz(); }

  /// Starts the vCPUs: the first at `entry`, the others wait for INIT and SIPI.
  void start(const boot::EntryState& entry);
  /// Asks the vCPUs to stop; the first reason given counts. Any thread.
  void stop(const Ending& ending) noexcept;
  /// Waits until all vCPUs have stopped. Once started, before the machine is destroyed.
  void join();

  /// Whether stop() has been called, by whomever: from then on ending() is known.
  [[nodiscard]] bool stopping() const noexcept { return stop_requested_.load(std::memory_order_acquire); }
  /// Once it is stopping.
  [[nodiscard]] Ending ending() const;
  /// After join(): what is known of vCPUs that could not go on; "" where all went well.
  [[nodiscard]] std::string crash_report() const;

  /// After join(): the host's CPU time of all vCPUs' threads, in the guest and out of it.
  [[nodiscard]] double vcpu_cpu_seconds() const;

  /// Any thread, at any time.
  [[nodiscard]] stats::Snapshot snapshot() const;

  /// Who answers behind a key; device is null where nobody does.
  struct Answerer {
    const Device* device = nullptr;
    std::string register_name;
  };
  [[nodiscard]] Answerer answerer_of(const stats::ExitKey& key) const;

 private:
  /// One vCPU, its account and its thread.
  struct VcpuUnit {
    VcpuUnit(const Kvm& kvm, const Vm& vm, unsigned id)
        : vcpu(kvm, vm, id), recorder(id), counters(trace::CounterFile::open(vcpu.stats())) {}
    [[nodiscard]] stats::VcpuSnapshot snapshot() const;

    Vcpu vcpu;
    stats::Recorder recorder;
    std::unique_ptr<VcpuGuard> guard;            ///< null where no memory is guarded
    std::unique_ptr<stats::SiteTable> sites;     ///< null unless recorded
    std::optional<trace::CounterFile> counters;  ///< nothing where the kernel keeps none
    std::string crash;                           ///< written by its thread at its end
    std::uint64_t cpu_nanoseconds = 0;           ///< likewise: what it has run for
    std::thread thread;
    std::atomic<pid_t> thread_id{0};  ///< 0 before it runs
  };

  void add_traced(stats::Snapshot& snapshot) const;
  void attach_interrupt_source(const MachineConfig& config);
  void create_vcpus(const Kvm& kvm, const MachineConfig& config);
  void run(VcpuUnit& unit) noexcept;
  void run_loop(VcpuUnit& unit) noexcept;

  // RunEvents
  void ended(const Ending& ending) noexcept override { stop(ending); }
  void end_of_interrupt(std::uint8_t vector) noexcept override;
  [[nodiscard]] bool stop_requested() const noexcept override {
    return stop_requested_.load(std::memory_order_acquire);
  }
  // PowerControl
  void power_off() noexcept override;
  void reset(std::string_view by) noexcept override;
  void debug_exit(std::uint32_t value) noexcept override;

  std::function<void()> on_ended_;
  const bool account_;
  const trace::ExitTracer* const tracer_;
  GuestMemory memory_;
  MemoryGuard guard_;
  Vm vm_;
  stats::Cycles began_;
  stats::PhaseTable phases_;
  std::unique_ptr<GuestStats> guest_stats_;  // null where the guest has no view of its own
  VirtioSlots virtio_;
  std::unique_ptr<ExitProbe> exit_probe_;       // null unless wanted
  std::unique_ptr<CoalescedWrites> coalesced_;  // null where every write is an exit
  InterruptWiring wiring_;
  PhaseMarker marker_;
  Platform platform_;
  PciNetworkCards network_cards_;
  RtcTimer rtc_timer_;
  DirtyBitmap dirty_bitmap_;
  std::unique_ptr<KvmInterruptWays> interrupt_ways_;  // null unless an interrupt source was asked for
  std::unique_ptr<RaisingThread> raising_;
  std::unique_ptr<InterruptSource> interrupt_source_;
  std::optional<trace::CounterFile> vm_counters_;
  std::vector<std::unique_ptr<VcpuUnit>> vcpus_;

  mutable std::mutex ending_mutex_;
  std::optional<Ending> ending_;
  std::atomic<bool> stop_requested_{false};
  std::atomic<std::size_t> running_{0};
  std::latch all_started_{1};
};

}  // namespace kvmbench
