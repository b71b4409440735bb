#include "vmm/machine.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iterator>
#include <system_error>

#include "base/blocked_signals.hpp"
#include "base/error.hpp"
#include "base/tsc.hpp"
#include "vmm/crash_report.hpp"

namespace kvmbench {
namespace {

/// Brings a vCPU thread out of KVM_RUN. SIGRTMIN: no library uses it.
int kick_signal() {
  return SIGRTMIN;
}

void handle_kick(int) {}

void install_kick_handler() {
  struct sigaction action {};
  action.sa_handler = handle_kick;  // no SA_RESTART: KVM_RUN is to return
  if (::sigaction(kick_signal(), &action, nullptr) != 0) throw HostError::from_errno("sigaction");
}

std::uint64_t thread_cpu_nanoseconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

void check(const MachineConfig& config, const Kvm& kvm) {
  const int most = std::max(kvm.extension(KVM_CAP_MAX_VCPUS), 1);
  if (config.cpus == 0 || config.cpus > static_cast<unsigned>(most)) {
    throw UsageError(
        fmt::format("--cpus {}: this host's KVM has 1 to {} vCPUs in a machine", config.cpus, most));
  }
  if (config.irqchip == Irqchip::none && config.cpus > 1) {
    throw UsageError(
        fmt::format("--cpus {} with --irqchip none: without local APICs nothing can start a second vCPU; "
                    "use --irqchip full or split",
                    config.cpus));
  }
}

std::unique_ptr<CoalescedWrites> coalesced_writes(const Kvm& kvm, const Vm& vm, const MachineConfig& config,
                                                  const PlatformHost& host) {
  std::vector<CoalescedWrites::Range> ranges = IdeDisks::coalesced_ranges(kvm, host.ata);
  if (config.exit_probe) std::ranges::copy(ExitProbe::coalesced_ranges(kvm), std::back_inserter(ranges));
  return ranges.empty() ? nullptr : std::make_unique<CoalescedWrites>(vm, ranges);
}

}  // namespace

Machine::Machine(const Kvm& kvm, const MachineConfig& config, MachineHost host)
    : on_ended_(std::move(host.ended)),
      account_(config.account),
      tracer_(host.tracer),
      memory_((check(config, kvm), config.memory), config.backing),
      guard_(memory_, config.guarded),
      vm_(kvm, guard_),
      began_(read_tsc()),
      phases_(began_),
      guest_stats_(config.guest_stats.any() ? std::make_unique<GuestStats>(config.guest_stats, kvm, vm_,
                                                                           phases_, config.cpus, tracer_)
                                            : nullptr),
      virtio_(kvm, vm_, memory_, host.virtio),
      exit_probe_(config.exit_probe ? std::make_unique<ExitProbe>(kvm, vm_, memory_) : nullptr),
      coalesced_(coalesced_writes(kvm, vm_, config, host.platform)),
      wiring_(kvm, vm_, config.irqchip, config.cpus),
      marker_(phases_, config.mark_on_serial),
      platform_(memory_, wiring_, *this, marker_, host.platform),
      network_cards_(host.network_cards, memory_, platform_),
      rtc_timer_(host.io, platform_.rtc()),
      dirty_bitmap_(host.io, vm_, guard_),
      vm_counters_(trace::CounterFile::open(vm_.stats())) {
  platform_.set_up_pci();
  virtio_.start(wiring_, platform_.mmio());
  if (config.interrupt_source) attach_interrupt_source(config);
  if (config.halt_poll_ns) vm_.limit_halt_polling(kvm, *config.halt_poll_ns);
  if (!config.disabled_exits.empty()) vm_.disable_exits(kvm, config.disabled_exits);
  create_vcpus(kvm, config);
  if (exit_probe_) {
    exit_probe_->connect(kvm, vm_);
    exit_probe_->attach(platform_.ports(), platform_.mmio());
  }
  if (coalesced_) coalesced_->start(kvm, vcpus_.front()->vcpu, platform_.ports(), platform_.mmio(), host.io);
  dirty_bitmap_.start(config.dirty_log_period);
}

void Machine::attach_interrupt_source(const MachineConfig& config) {
  interrupt_ways_ = std::make_unique<KvmInterruptWays>(vm_, wiring_, config.irqchip);
  raising_ = std::make_unique<RaisingThread>(*interrupt_ways_);
  interrupt_source_ = std::make_unique<InterruptSource>(memory_, *raising_);
  platform_.ports().attach(KVMBENCH_IRQ_PORT, InterruptSource::size, *interrupt_source_);
}

void Machine::create_vcpus(const Kvm& kvm, const MachineConfig& config) {
  std::vector<GuestStatsAccount> accounts;
  for (unsigned id = 0; id < config.cpus; ++id) {
    VcpuUnit& unit = *vcpus_.emplace_back(std::make_unique<VcpuUnit>(kvm, vm_, id));
    if (!guard_.empty()) unit.guard = std::make_unique<VcpuGuard>(kvm, vm_, unit.vcpu, guard_);
    if (config.record_sites) {
      unit.vcpu.keep_registers(kvm);
      unit.sites = std::make_unique<stats::SiteTable>();
    }
    const bool counted = unit.counters && unit.counters->has_exits();
    accounts.push_back({unit.vcpu, unit.recorder, counted ? &*unit.counters : nullptr});
  }
  std::vector<kvm_cpuid_entry2> interface;
  if (guest_stats_) {
    guest_stats_->connect(accounts, memory_);
    guest_stats_->attach(platform_.ports());
    interface = guest_stats_->cpuid();
  }
  const std::vector<kvm_cpuid_entry2> supported = kvm.supported_cpuid();
  const CpuidOptions options{.cpus = config.cpus,
                             .irqchip = config.irqchip,
                             .tsc_deadline = kvm.extension(KVM_CAP_TSC_DEADLINE_TIMER) > 0,
                             .masked = config.masked_cpuid};
  for (const auto& unit : vcpus_) {
    std::vector<kvm_cpuid_entry2> entries = cpuid_of_vcpu(supported, unit->vcpu.id(), options);
    entries.insert(entries.end(), interface.begin(), interface.end());
    unit->vcpu.set_cpuid(entries);
  }
}

Machine::~Machine() {
  stop({.kind = Ending::Kind::left, .value = 0, .text = {}});
  join();
}

void Machine::start(const boot::EntryState& entry) {
  install_kick_handler();
  for (const GuardedRange& range : guard_.ranges()) {
    if (range.is_protected()) memory_.forbid(range.first, range.length);
  }
  vcpus_.front()->vcpu.set_entry(entry);
  if (raising_) raising_->start(vcpus_.front()->vcpu.tsc_relation());
  // Each thread waits until all are there, since the first one's guest may end the machine at once.
  std::string failure;
  running_ = vcpus_.size();
  try {
    // Signals are the main thread's: only the kick reaches a vCPU.
    const BlockedSignals blocked(kick_signal());
    for (const auto& unit : vcpus_) unit->thread = std::thread([this, &unit = *unit] { run(unit); });
  } catch (const std::system_error& error) {
    failure = error.what();
    stop({.kind = Ending::Kind::kvm_failure, .value = 0, .text = "a vCPU's thread could not be started"});
  }
  all_started_.count_down();
  if (!failure.empty())
    throw HostError(fmt::format("cannot start the threads of {} vCPUs: {}", vcpus_.size(), failure));
}

void Machine::run(VcpuUnit& unit) noexcept {
  unit.thread_id = ::gettid();
  ::pthread_setname_np(::pthread_self(), fmt::format("vcpu{}", unit.vcpu.id()).c_str());
  all_started_.wait();
  run_loop(unit);
  unit.cpu_nanoseconds = thread_cpu_nanoseconds();
  if (running_.fetch_sub(1) != 1) return;
  if (raising_) raising_->finish();
  virtio_.finish();  // what the guest has asked for last is still done, while the I/O thread runs
  on_ended_();
}

void Machine::run_loop(VcpuUnit& unit) noexcept {
  GuestStats::enter(unit.vcpu.id());
  RunLoop loop(unit.vcpu, unit.recorder, phases_, platform_.ports(), platform_.mmio(), *this,
               guest_stats_ ? &guest_stats_->vcpu(unit.vcpu.id()) : nullptr, unit.sites.get(),
               unit.guard.get(), coalesced_.get());
  if (account_ ? loop.run() : loop.run_without_account()) return;
  try {
    unit.crash = kvmbench::crash_report(unit.vcpu, memory_, loop.error());
  } catch (const std::exception& error) {
    unit.crash = fmt::format("vCPU {}: {}\n", unit.vcpu.id(), error.what());
  }
}

void Machine::stop(const Ending& ending) noexcept {
  {
    const std::lock_guard lock(ending_mutex_);
    if (ending_) return;
    ending_ = ending;
  }
  stop_requested_.store(true, std::memory_order_release);
  for (const auto& unit : vcpus_) {
    unit->vcpu.request_exit();
    if (unit->thread.joinable()) ::pthread_kill(unit->thread.native_handle(), kick_signal());
  }
}

void Machine::join() {
  for (const auto& unit : vcpus_) {
    if (unit->thread.joinable()) unit->thread.join();
  }
  dirty_bitmap_.take_modified();  // of what was modified since it was last asked
}

Ending Machine::ending() const {
  const std::lock_guard lock(ending_mutex_);
  return ending_.value_or(Ending{});
}

double Machine::vcpu_cpu_seconds() const {
  std::uint64_t nanoseconds = 0;
  for (const auto& unit : vcpus_) nanoseconds += unit->cpu_nanoseconds;
  return static_cast<double>(nanoseconds) * 1e-9;
}

std::string Machine::crash_report() const {
  std::string text;
  for (const auto& unit : vcpus_) text += unit->crash;
  return text;
}

stats::VcpuSnapshot Machine::VcpuUnit::snapshot() const {
  stats::VcpuSnapshot taken = recorder.snapshot();
  // After it: the hardware exits behind the returns that were recorded are among the kernel's.
  if (counters) {
    taken.counters = counters->read();
    taken.kernel_exits = stats::value_of(taken.counters, "exits");
  }
  if (sites) taken.sites = sites->snapshot();
  return taken;
}

void Machine::add_traced(stats::Snapshot& snapshot) const {
  snapshot.tracer = {tracer_->events_without_thread(), tracer_->missed_events(), tracer_->absent_events()};
  for (stats::VcpuSnapshot& vcpu : snapshot.vcpus) vcpu.traced.emplace();
  for (trace::TracedThread& thread : tracer_->memory().snapshot(tracer_->used(), ::getpid())) {
    for (std::size_t i = 0; i < vcpus_.size(); ++i) {
      if (vcpus_[i]->thread_id == thread.thread) *snapshot.vcpus[i].traced += thread.exits;
    }
  }
}

stats::Snapshot Machine::snapshot() const {
  stats::Snapshot snapshot;
  snapshot.began = began_;
  for (const auto& unit : vcpus_) snapshot.vcpus.push_back(unit->snapshot());
  if (tracer_ != nullptr) add_traced(snapshot);
  if (vm_counters_) snapshot.counters = vm_counters_->read();
  snapshot.phases = phases_.phases();  // after the keys, so that no key's phase is missing
  for (const Device* device : platform_.devices()) {
    stats::DeviceOperations operations{std::string(device->name()), {}};
    for (const Operation& operation : device->operations())
      operations.counts.push_back({std::string(operation.name), operation.count});
    if (!operations.counts.empty()) snapshot.operations.push_back(std::move(operations));
  }
  snapshot.taken = read_tsc();
  return snapshot;
}

Machine::Answerer Machine::answerer_of(const stats::ExitKey& key) const {
  BusTarget target;
  if (key.address == stats::overflow_address) return {};
  if (key.reason == KVM_EXIT_IO)
    target = platform_.ports().find_last(static_cast<std::uint16_t>(key.address));
  if (key.reason == KVM_EXIT_MMIO) target = platform_.mmio().find_last(key.address);
  if (const Device* guarded = key.reason == KVM_EXIT_MMIO ? guard_.device_at(key.address) : nullptr)
    return {guarded, guarded->register_name(0, key.direction)};
  if (target.device == nullptr) return {};
  return {target.device, target.device->register_name(target.offset, key.direction)};
}

void Machine::end_of_interrupt(std::uint8_t vector) noexcept {
  if (wiring_.io_apic() != nullptr) wiring_.io_apic()->end_of_interrupt(vector);
}

void Machine::power_off() noexcept {
  marker_.power_off();
  stop({.kind = Ending::Kind::powered_off, .value = 0, .text = {}});
}

void Machine::reset(std::string_view by) noexcept {
  stop({.kind = Ending::Kind::reset, .value = 0, .text = by});
}

void Machine::debug_exit(std::uint32_t value) noexcept {
  stop({.kind = Ending::Kind::debug_exit, .value = value, .text = {}});
}

}  // namespace kvmbench
