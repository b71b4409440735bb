/// The guest's own view of its exits (docs/guest-interface.md): its counts, its pages, its MSRs and its port
/// device, put together for one machine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "devices/bus.hpp"
#include "devices/exit_count_page.hpp"
#include "devices/exit_count_port.hpp"
#include "stats/guest_query.hpp"
#include "stats/phase_table.hpp"
#include "stats/recorded_counts.hpp"
#include "trace/counter_file.hpp"
#include "trace/vcpu_trace.hpp"
#include "vmm/vcpu.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// Which ways a guest has to its counts. All off: there is no interface.
struct GuestStatsWays {
  bool port = true;
  bool msr = true;
  bool page = true;

  [[nodiscard]] bool any() const noexcept { return port || msr || page; }
};

/// One vCPU and its account.
struct GuestStatsAccount {
  const Vcpu& vcpu;
  const stats::Recorder& recorder;
  const trace::CounterFile* kernel_exits;  ///< null where the kernel keeps no count
};

/// One vCPU's view; but for the constructor on its thread only.
class VcpuGuestStats final {
 public:
  /// `page_memory` is empty where there are no pages.
  VcpuGuestStats(const GuestStatsAccount& account, std::span<std::byte> page_memory,
                 const stats::HardwareAccount& hardware, const trace::ExitTracer* tracer = nullptr);

  /// After each Recorder::record.
  void recorded(std::uint32_t reason, stats::Cycles service) noexcept {
    counts_.add(reason, service);
    if (page_ && page_->kept()) page_->refresh(counts_);
  }
  /// What RDMSR of the interface's MSR + `index` gives; nullopt: #GP.
  [[nodiscard]] std::optional<std::uint64_t> read_msr(std::uint32_t index) const noexcept {
    return stats::read_msr(index, hardware_, counts_);
  }

  [[nodiscard]] bool counts_kernel_exits() const noexcept { return counts_.kernel != nullptr; }
  [[nodiscard]] ExitCountPort::Vcpu port_view() noexcept { return {&counts_, page_ ? &*page_ : nullptr}; }

 private:
  /// What is recorded here, with the kernel's own count of all exits where it keeps one.
  struct Counts final : stats::RecordedCounts {
    using RecordedCounts::RecordedCounts;
    [[nodiscard]] stats::Tally all() const noexcept override;
    [[nodiscard]] stats::Tally hardware(std::uint32_t reason) const noexcept override {
      return trace ? trace->tally(reason) : stats::Tally{};
    }
    [[nodiscard]] stats::Spread hardware_spread(std::uint32_t reason) const noexcept override {
      return trace ? trace->spread(reason) : stats::Spread{};
    }
    [[nodiscard]] std::size_t list(std::span<stats::ReasonTally> to) const noexcept override;
    const trace::CounterFile* kernel = nullptr;
    std::optional<trace::VcpuTrace> trace;  ///< nothing where the hardware's exits are not counted
  };

  const stats::HardwareAccount& hardware_;
  Counts counts_;
  std::optional<ExitCountPage> page_;
};

class GuestStats final : private GuestPhases, private CurrentVcpu {
 public:
  /// Maps the pages of `cpus` vCPUs and routes the MSRs to this program, as far as `ways` and KVM allow.
  /// Before the interrupt controllers are made, where KVM does both at once; after it each may take
  /// milliseconds. Throws HostError.
  /// `tracer` counts the hardware's exits; null where none does.
  GuestStats(GuestStatsWays ways, const Kvm& kvm, const Vm& vm, stats::PhaseTable& phases, unsigned cpus,
             const trace::ExitTracer* tracer);
  GuestStats(const GuestStats&) = delete;
  GuestStats& operator=(const GuestStats&) = delete;
  ~GuestStats() override;

  /// The vCPUs are there, all that were announced. Once, before their CPUID is set and they run.
  void connect(const std::vector<GuestStatsAccount>& accounts, GuestMemory& memory);

  /// The leaves that announce the interface.
  [[nodiscard]] std::vector<kvm_cpuid_entry2> cpuid() const;
  void attach(PortBus& ports);
  /// By index of the vCPU; call enter() on its thread first.
  [[nodiscard]] VcpuGuestStats& vcpu(unsigned index) { return *vcpus_.at(index); }
  /// The calling thread is the vCPU's from now on.
  static void enter(unsigned index) noexcept;

 private:
  void map_pages(const Vm& vm, std::size_t count);
  void mark(std::uint32_t number) noexcept override;
  void named(std::string_view name) noexcept override;
  [[nodiscard]] unsigned current() const noexcept override;

  stats::PhaseTable& phases_;
  const trace::ExitTracer* const tracer_;
  const stats::HardwareAccount hardware_;
  std::uint32_t features_ = 0;
  std::uint32_t tsc_khz_ = 0;
  std::span<std::byte> pages_;
  std::vector<std::unique_ptr<VcpuGuestStats>> vcpus_;
  std::unique_ptr<ExitCountPort> port_;
};

}  // namespace kvmbench
