#include "devices/virtio/virtqueue.hpp"

namespace kvmbench::virtio {

Virtqueue::Virtqueue(const GuestMemory& memory, std::uint16_t max_size, QueueEvents& events)
    : memory_(memory), max_size_(max_size), events_(events), ring_(SplitRing(memory)) {}

bool Virtqueue::pop(Chain& chain) {
  Fault fault = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!running()) return false;
    const bool empty = std::visit([](const auto& ring) { return ring.empty(); }, ring_);
    if (empty) return false;
    fault = std::visit([&chain](auto& ring) { return ring.pop(chain); }, ring_);
    ++in_flight_;
    if (fault == nullptr) return true;
    running_.store(false, std::memory_order_relaxed);
  }
  tell_broken(fault);
  return false;
}

void Virtqueue::unpop(const Chain& chain) noexcept {
  const std::lock_guard lock(mutex_);
  if (running()) std::visit([&chain](auto& ring) { ring.unpop(chain); }, ring_);
  returned();
}

void Virtqueue::complete(const Chain& chain, std::uint32_t written) noexcept {
  const std::lock_guard lock(mutex_);
  if (running()) {
    std::visit([&](auto& ring) { ring.push(chain, written); }, ring_);
    signal_locked();
    completed_.fetch_add(1, std::memory_order_relaxed);
  }
  returned();
}

void Virtqueue::push(const Chain& chain, std::uint32_t written) noexcept {
  const std::lock_guard lock(mutex_);
  if (running()) {
    std::visit([&](auto& ring) { ring.push(chain, written); }, ring_);
    completed_.fetch_add(1, std::memory_order_relaxed);
  }
  returned();
}

void Virtqueue::push_together(std::span<const UsedChain> chains) noexcept {
  if (chains.empty()) return;
  const std::lock_guard lock(mutex_);
  if (running()) {
    std::visit([&](auto& ring) { ring.push_together(chains); }, ring_);
    completed_.fetch_add(chains.size(), std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < chains.size(); ++i) returned();
}

void Virtqueue::signal() noexcept {
  const std::lock_guard lock(mutex_);
  if (running()) signal_locked();
}

void Virtqueue::signal_locked() noexcept {
  const bool wanted = std::visit([](auto& ring) { return ring.wants_interrupt(); }, ring_);
  if (wanted) events_.used_buffers();
}

void Virtqueue::returned() noexcept {
  if (--in_flight_ == 0) idle_.notify_all();
}

void Virtqueue::silence() noexcept {
  const std::lock_guard lock(mutex_);
  if (running()) std::visit([](auto& ring) { ring.silence(); }, ring_);
}

bool Virtqueue::listen() noexcept {
  const std::lock_guard lock(mutex_);
  if (!running()) return true;
  return std::visit(
      [](auto& ring) {
        ring.listen(0);
        return ring.empty();
      },
      ring_);
}

void Virtqueue::fail(Fault why) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!running()) return;
    ++in_flight_;
    running_.store(false, std::memory_order_relaxed);
  }
  tell_broken(why);
}

/// What tells of it counts as in flight, so that a reset does not come in between.
void Virtqueue::tell_broken(Fault why) noexcept {
  events_.broken(why);
  const std::lock_guard lock(mutex_);
  returned();
}

Fault Virtqueue::open(const RingSettings& settings, bool packed) noexcept {
  const std::lock_guard lock(mutex_);
  if (settings.size > max_size_) return "a queue larger than QueueNumMax";
  if (packed) {
    ring_.emplace<PackedRing>(memory_);
  } else {
    ring_.emplace<SplitRing>(memory_);
  }
  const Fault fault = std::visit([&settings](auto& ring) { return ring.open(settings); }, ring_);
  open_ = fault == nullptr;
  size_.store(settings.size, std::memory_order_relaxed);
  return fault;
}

void Virtqueue::run() noexcept {
  const std::lock_guard lock(mutex_);
  running_.store(open_, std::memory_order_relaxed);
}

void Virtqueue::stop() noexcept {
  const std::lock_guard lock(mutex_);
  open_ = false;
  running_.store(false, std::memory_order_relaxed);
}

void Virtqueue::wait_until_idle() noexcept {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return in_flight_ == 0; });
}

}  // namespace kvmbench::virtio
