#include "hostio/output_queue.hpp"

#include <algorithm>
#include <utility>

namespace kvmbench::hostio {

static_assert((OutputQueue::capacity & (OutputQueue::capacity - 1)) == 0, "indices wrap by a mask");

OutputQueue::OutputQueue(std::function<void()> wake)
    : wake_(std::move(wake)), ring_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity)) {}

void OutputQueue::put(std::uint8_t byte) noexcept {
  std::unique_lock lock(mutex_);
  if (size_ == capacity && !wait_for_room(lock)) return;
  if (discarding_) {
    ++lost_;
    return;
  }
  ring_[(head_ + size_) & (capacity - 1)] = byte;
  ++size_;
  if (awake_) return;
  awake_ = true;
  lock.unlock();
  wake_();
}

bool OutputQueue::wait_for_room(std::unique_lock<std::mutex>& lock) noexcept {
  ++waiting_;
  room_.wait(lock, [this] { return size_ < capacity || closes_ > 0 || when_full_ == WhenFull::drop; });
  --waiting_;
  if (size_ < capacity) return true;
  if (closes_ > 0) ++lost_;
  return false;
}

void OutputQueue::close() noexcept {
  const std::lock_guard lock(mutex_);
  ++closes_;
  room_.notify_all();
}

std::span<const std::uint8_t> OutputQueue::front() const noexcept {
  const std::lock_guard lock(mutex_);
  return {ring_.get() + head_, std::min(size_, capacity - head_)};
}

void OutputQueue::take(std::size_t count) noexcept {
  const std::lock_guard lock(mutex_);
  head_ = (head_ + count) & (capacity - 1);
  size_ -= count;
  if (waiting_ > 0) room_.notify_all();
}

bool OutputQueue::rest() noexcept {
  const std::lock_guard lock(mutex_);
  if (size_ > 0) return false;
  awake_ = false;
  return true;
}

void OutputQueue::when_full(WhenFull policy) noexcept {
  const std::lock_guard lock(mutex_);
  when_full_ = policy;
  room_.notify_all();
}

void OutputQueue::discard() noexcept {
  const std::lock_guard lock(mutex_);
  discarding_ = true;
  lost_ += size_;
  size_ = 0;
  room_.notify_all();
}

std::size_t OutputQueue::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return size_;
}

unsigned OutputQueue::closes() const noexcept {
  const std::lock_guard lock(mutex_);
  return closes_;
}

std::uint64_t OutputQueue::lost() const noexcept {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace kvmbench::hostio
