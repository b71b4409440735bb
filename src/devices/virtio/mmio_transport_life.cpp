// What becomes of a device behind the registers: made ready, run, reset, and its interrupts.

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <utility>

#include "devices/virtio/features.hpp"
#include "devices/virtio/mmio_transport.hpp"

namespace kvmbench::virtio {
namespace {

constexpr std::uint32_t status_bits = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                                      VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK |
                                      VIRTIO_CONFIG_S_FAILED;

}  // namespace

void MmioTransport::write_queue_ready(std::unique_lock<std::mutex>& lock, std::uint32_t value) noexcept {
  QueueRegisters* queue = selected();
  if (queue == nullptr || queue->ready == (value == 1)) return;
  Virtqueue& virtqueue = device_.queue(queue_sel_);
  if (value != 1) {
    virtqueue.stop();
    busy_ = true;
    const bool running = running_;
    lock.unlock();
    if (running) device_.cancel();
    virtqueue.wait_until_idle();
    lock.lock();
    queue->ready = false;
    return done_waiting();
  }
  if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) == 0 || needs_reset_.load(std::memory_order_acquire)) return;
  const RingSettings settings{.size = queue->size,
                              .descriptor_area = Gpa{queue->descriptor_area},
                              .driver_area = Gpa{queue->driver_area},
                              .device_area = Gpa{queue->device_area},
                              .event_idx = (driver_features_ & feature(VIRTIO_RING_F_EVENT_IDX)) != 0,
                              .indirect = (driver_features_ & feature(VIRTIO_RING_F_INDIRECT_DESC)) != 0};
  const bool packed = (driver_features_ & feature(VIRTIO_F_RING_PACKED)) != 0;
  if (const Fault fault = virtqueue.open(settings, packed)) {
    need_reset(fault);
  } else {
    queue->ready = true;
    if (running_) virtqueue.run();
  }
}

void MmioTransport::write_status(std::unique_lock<std::mutex>& lock, std::uint32_t value) noexcept {
  if (value == 0) return reset(lock);
  // A driver sets bits; it clears none but by a reset (2.1.1).
  std::uint32_t added = value & status_bits & ~status_;
  if ((added & VIRTIO_CONFIG_S_FEATURES_OK) != 0) {
    const bool accepted =
        (driver_features_ & ~offered_features_) == 0 && (driver_features_ & feature(VIRTIO_F_VERSION_1)) != 0;
    if (!accepted) added &= ~std::uint32_t{VIRTIO_CONFIG_S_FEATURES_OK};
  }
  const bool may_run =
      ((status_ | added) & VIRTIO_CONFIG_S_FEATURES_OK) != 0 && !needs_reset_.load(std::memory_order_acquire);
  if (!may_run) added &= ~std::uint32_t{VIRTIO_CONFIG_S_DRIVER_OK};
  status_ |= added;
  if ((added & VIRTIO_CONFIG_S_DRIVER_OK) != 0) start(lock);
}

void MmioTransport::start(std::unique_lock<std::mutex>& lock) noexcept {
  busy_ = true;
  lock.unlock();
  device_.start(driver_features_);
  lock.lock();
  running_ = true;
  for (unsigned number = 0; number < queues_.size(); ++number) device_.queue(number).run();
  done_waiting();
  lock.unlock();
  // Requests may lie in the queues already, and what rang for them came too early.
  for (unsigned number = 0; number < queues_.size(); ++number) doorbell_.ring(number);
}

void MmioTransport::reset(std::unique_lock<std::mutex>& lock) noexcept {
  quiesce(lock);
  for (QueueRegisters& queue : queues_) queue = {};
  queue_sel_ = 0;
  device_features_sel_ = 0;
  driver_features_sel_ = 0;
  driver_features_ = 0;
  status_ = 0;
  needs_reset_.store(false, std::memory_order_release);
  const std::lock_guard interrupt_lock(interrupt_mutex_);
  interrupt_status_.store(0, std::memory_order_release);
  line_.set(false);
}

/// Stops the queues and waits until the device is done with what it has, and with itself.
void MmioTransport::quiesce(std::unique_lock<std::mutex>& lock) noexcept {
  const bool was_running = std::exchange(running_, false);
  busy_ = true;
  lock.unlock();
  stop_queues();
  if (was_running) device_.cancel();
  for (unsigned number = 0; number < queues_.size(); ++number) device_.queue(number).wait_until_idle();
  lock.lock();
  idle_.wait(lock, [this] { return processing_ == 0; });
  if (was_running) {
    lock.unlock();
    device_.reset();
    lock.lock();
  }
  done_waiting();
}

void MmioTransport::done_waiting() noexcept {
  busy_ = false;
  idle_.notify_all();
}

void MmioTransport::shut_down() noexcept {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !busy_; });
  quiesce(lock);
}

void MmioTransport::stop_queues() noexcept {
  for (unsigned number = 0; number < queues_.size(); ++number) device_.queue(number).stop();
}

void MmioTransport::rung(unsigned queue) {
  if (device_.queue(queue).rung()) process(queue);
}

void MmioTransport::time_is_up() {
  for (unsigned number = 0; number < queues_.size(); ++number) {
    if (device_.queue(number).time_is_up()) process(number);
  }
}

void MmioTransport::process(unsigned queue) {
  {
    const std::lock_guard lock(mutex_);
    if (!running_ || queue >= queues_.size()) return;
    ++processing_;
  }
  device_.process(queue);
  const std::lock_guard lock(mutex_);
  if (--processing_ == 0) idle_.notify_all();
}

void MmioTransport::used_buffers() noexcept {
  raise(VIRTIO_MMIO_INT_VRING);
}

void MmioTransport::config_changed() noexcept {
  config_generation_.fetch_add(1, std::memory_order_acq_rel);
  bool ready = false;
  {
    const std::lock_guard lock(mutex_);
    ready = (status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0 && !busy_;
  }
  if (ready) raise(VIRTIO_MMIO_INT_CONFIG);
}

void MmioTransport::broken(Fault why) noexcept {
  const std::lock_guard lock(mutex_);
  need_reset(why);
}

/// With the lock held.
void MmioTransport::need_reset(Fault why) noexcept {
  fault_.store(why, std::memory_order_relaxed);
  stop_queues();
  if (needs_reset_.exchange(true, std::memory_order_acq_rel)) return;
  // 2.1.2: a driver that runs is told.
  if ((status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0) raise(VIRTIO_MMIO_INT_CONFIG);
}

void MmioTransport::raise(std::uint32_t bit) noexcept {
  const std::lock_guard lock(interrupt_mutex_);
  if (interrupt_status_.fetch_or(bit, std::memory_order_acq_rel) != 0) return;
  interrupts_.fetch_add(1, std::memory_order_relaxed);
  line_.set(true);
}

void MmioTransport::acknowledge(std::uint32_t bits) noexcept {
  const std::lock_guard lock(interrupt_mutex_);
  const std::uint32_t before = interrupt_status_.fetch_and(~bits, std::memory_order_acq_rel);
  if ((before & bits) == 0) return;
  line_.set(false);
  if ((before & ~bits) == 0) return;
  interrupts_.fetch_add(1, std::memory_order_relaxed);
  line_.set(true);
}

}  // namespace kvmbench::virtio
