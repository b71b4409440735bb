#include "vmm/guest_stats.hpp"

#include <sys/mman.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/tsc.hpp"
#include "kvmbench_abi.h"
#include "memory/memory_map.hpp"
#include "vmm/kvm_host.hpp"

namespace kvmbench {
namespace {

constexpr unsigned no_vcpu = ~0u;
thread_local unsigned current_vcpu = no_vcpu;

}  // namespace

VcpuGuestStats::VcpuGuestStats(const GuestStatsAccount& account, std::span<std::byte> page_memory,
                               const stats::HardwareAccount& hardware, const trace::ExitTracer* tracer)
    : hardware_(hardware), counts_(account.recorder) {
  counts_.kernel = account.kernel_exits;
  if (tracer != nullptr) counts_.trace.emplace(*tracer, account.vcpu.id(), account.vcpu.tsc_khz());
  if (!page_memory.empty()) page_.emplace(page_memory, account.vcpu.id());
}

stats::Tally VcpuGuestStats::Counts::all() const noexcept {
  stats::Tally tally = RecordedCounts::all();
  if (kernel) tally.count = kernel->exits();
  if (trace) tally.cycles = trace->cycles();
  return tally;
}

std::size_t VcpuGuestStats::Counts::list(std::span<stats::ReasonTally> to) const noexcept {
  const std::size_t userspace = RecordedCounts::list(to);
  return trace ? userspace + trace->list(to.subspan(std::min(userspace, to.size()))) : userspace;
}

GuestStats::GuestStats(GuestStatsWays ways, const Kvm& kvm, const Vm& vm, stats::PhaseTable& phases,
                       unsigned cpus, const trace::ExitTracer* tracer)
    : phases_(phases),
      tracer_(tracer),
      hardware_(stats::HardwareAccount::of(read_kvm_host(), tracer != nullptr)) {
  // Where nobody knows whose reasons they are, none can be asked for.
  if (tracer != nullptr && hardware_.vendor != stats::Vendor::unknown) features_ |= KVMBENCH_FEATURE_HARDWARE;
  if (ways.port) features_ |= KVMBENCH_FEATURE_PORT;
  const bool msrs =
      kvm.extension(KVM_CAP_X86_USER_SPACE_MSR) > 0 && kvm.extension(KVM_CAP_X86_MSR_FILTER) > 0;
  if (ways.msr && msrs) {
    vm.take_msrs(KVMBENCH_DEFAULT_MSR, KVMBENCH_MSR_COUNT);
    features_ |= KVMBENCH_FEATURE_MSR;
  }
  if (ways.page) {
    map_pages(vm, cpus);
    features_ |= KVMBENCH_FEATURE_PAGE;
  }
}

void GuestStats::connect(const std::vector<GuestStatsAccount>& accounts, GuestMemory& memory) {
  tsc_khz_ = static_cast<std::uint32_t>(accounts.front().vcpu.tsc_khz());
  std::vector<ExitCountPort::Vcpu> views;
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    const auto page = pages_.empty() ? pages_ : pages_.subspan(i * KVMBENCH_PAGE_BYTES, KVMBENCH_PAGE_BYTES);
    vcpus_.push_back(std::make_unique<VcpuGuestStats>(accounts[i], page, hardware_, tracer_));
    views.push_back(vcpus_.back()->port_view());
  }
  const bool kernel_exits =
      std::all_of(vcpus_.begin(), vcpus_.end(), [](const auto& vcpu) { return vcpu->counts_kernel_exits(); });
  if (kernel_exits) features_ |= KVMBENCH_FEATURE_KERNEL_EXITS;
  const CurrentVcpu& current = *this;
  GuestPhases& named_phases = *this;
  port_ = std::make_unique<ExitCountPort>(views, features_, hardware_, current, memory, named_phases);
}

GuestStats::~GuestStats() {
  if (!pages_.empty()) ::munmap(pages_.data(), pages_.size());
}

void GuestStats::map_pages(const Vm& vm, std::size_t count) {
  const std::size_t size = count * KVMBENCH_PAGE_BYTES;
  void* at =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw HostError::from_errno("cannot map the pages of the guest's exit counts");
  pages_ = {static_cast<std::byte*>(at), size};
  vm.map_memory(memory_map::exit_count_pages, pages_);
}

std::vector<kvm_cpuid_entry2> GuestStats::cpuid() const {
  const auto leaves = stats::cpuid_leaves(
      {.first_port = KVMBENCH_DEFAULT_PORT,
       .first_msr = (features_ & KVMBENCH_FEATURE_MSR) != 0 ? KVMBENCH_DEFAULT_MSR : 0,
       .features = features_,
       .vendor = hardware_.vendor,
       .first_page = (features_ & KVMBENCH_FEATURE_PAGE) != 0 ? memory_map::exit_count_pages.value : 0,
       .tsc_khz = tsc_khz_});
  std::vector<kvm_cpuid_entry2> entries;
  for (std::uint32_t i = 0; i < leaves.size(); ++i) {
    kvm_cpuid_entry2 entry{};
    entry.function = KVMBENCH_CPUID_SIGNATURE + i;
    entry.eax = leaves[i].eax;
    entry.ebx = leaves[i].ebx;
    entry.ecx = leaves[i].ecx;
    entry.edx = leaves[i].edx;
    entries.push_back(entry);
  }
  return entries;
}

void GuestStats::attach(PortBus& ports) {
  ports.attach(KVMBENCH_DEFAULT_PORT, ExitCountPort::size, *port_);
}

void GuestStats::enter(unsigned index) noexcept {
  current_vcpu = index;
}

unsigned GuestStats::current() const noexcept {
  return current_vcpu;
}

void GuestStats::mark(std::uint32_t number) noexcept {
  phases_.mark(stats::PhaseLabel::Kind::mark, number, read_tsc());
}

void GuestStats::named(std::string_view name) noexcept {
  phases_.mark(stats::PhaseLabel::Kind::named, name, read_tsc());
}

}  // namespace kvmbench
