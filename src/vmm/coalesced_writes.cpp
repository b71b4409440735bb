#include "vmm/coalesced_writes.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "base/error.hpp"

namespace kvmbench {
namespace {

constexpr std::chrono::milliseconds longest_wait{1};

// linux/kvm.h, KVM_COALESCED_MMIO_MAX: what fits into a page.
constexpr std::uint32_t slots = (4096 - sizeof(kvm_coalesced_mmio_ring)) / sizeof(kvm_coalesced_mmio);

}  // namespace

CoalescedWrites::CoalescedWrites(const Vm& vm, const std::vector<Range>& ranges)
    : awaited_(std::any_of(ranges.begin(), ranges.end(), [](const Range& range) { return range.awaited; })) {
  for (const Range& range : ranges) vm.coalesce(range.space, range.first, range.bytes);
}

void CoalescedWrites::start(const Kvm& kvm, const Vcpu& vcpu, const PortBus& ports, const MmioBus& mmio,
                            boost::asio::io_context& io) {
  ports_ = &ports;
  mmio_ = &mmio;
  ring_ = vcpu.coalesced_ring(kvm);
  if (ring_ == nullptr) throw HostError("this host's KVM has no ring for coalesced writes");
  if (!awaited_) return;
  timer_.emplace(io);
  wait();
}

void CoalescedWrites::wait() {
  timer_->expires_after(longest_wait);
  timer_->async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    deliver();
    wait();
  });
}

void CoalescedWrites::deliver() noexcept {
  const std::atomic_ref first(ring_->first), last(ring_->last);
  // Each write is taken out after it was delivered: what is empty is done.
  if (first.load(std::memory_order_acquire) == last.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  const std::uint32_t end = last.load(std::memory_order_acquire) % slots;
  for (std::uint32_t next = first.load(std::memory_order_relaxed) % slots; next != end;) {
    const kvm_coalesced_mmio& write = ring_->coalesced_mmio[next];
    const BusTarget target = write.pio != 0 ? ports_->find(static_cast<std::uint16_t>(write.phys_addr))
                                            : mmio_->find(write.phys_addr);
    const unsigned width = std::min<unsigned>(write.len, sizeof write.data);
    std::uint64_t value = 0;
    std::memcpy(&value, write.data, width);
    if (target.device != nullptr) target.device->write(target.offset, width, value);
    next = (next + 1) % slots;
    first.store(next, std::memory_order_release);
  }
}

}  // namespace kvmbench
