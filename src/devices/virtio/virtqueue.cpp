#include "devices/virtio/virtqueue.hpp"

#include <utility>

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
  if (coalescing_.interrupts) {
    const std::uint16_t held = std::visit([](const auto& ring) { return ring.unsignalled(); }, ring_);
    if (held == 0) return;
    if (held < coalescing_.batch) {
      if (!std::exchange(interrupt_held_, true)) events_.look_later();
      return;
    }
  }
  interrupt_if_wanted();
}

void Virtqueue::interrupt_if_wanted() noexcept {
  interrupt_held_ = false;
  const bool wanted = std::visit([](auto& ring) { return ring.wants_interrupt(); }, ring_);
  if (wanted) events_.used_buffers();
}

/// Asks for the doorbell of the batch-th request from now on, and looks by itself when the time is up.
void Virtqueue::listen_ahead() noexcept {
  const auto ahead = static_cast<std::uint16_t>(coalescing_.batch - 1);
  std::visit([ahead](auto& ring) { ring.listen(ahead); }, ring_);
  events_.look_later();
}

bool Virtqueue::rung() noexcept {
  const std::lock_guard lock(mutex_);
  if (!coalescing_.doorbells || !running()) return true;
  listening_ahead_ = true;
  const auto enough = [this] {
    const std::uint16_t batch = coalescing_.batch;
    return std::visit([batch](const auto& ring) { return ring.available(batch) == batch; }, ring_);
  };
  if (enough()) return true;
  listen_ahead();
  return enough();  // those that came before it could be seen have not rung
}

bool Virtqueue::time_is_up() noexcept {
  const std::lock_guard lock(mutex_);
  if (!running()) return false;
  if (interrupt_held_) interrupt_if_wanted();
  if (!listening_ahead_) return false;
  const auto empty = [this] { return std::visit([](const auto& ring) { return ring.empty(); }, ring_); };
  if (!empty()) return true;  // and listens ahead again, when it has served them
  listening_ahead_ = false;
  std::visit([](auto& ring) { ring.listen(0); }, ring_);
  return !empty();
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
  if (listening_ahead_) {
    listen_ahead();
  } else {
    std::visit([](auto& ring) { ring.listen(0); }, ring_);
  }
  return std::visit([](const auto& ring) { return ring.empty(); }, ring_);
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
  interrupt_held_ = false;
  listening_ahead_ = false;
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
