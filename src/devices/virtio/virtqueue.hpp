/// A virtqueue as a device sees it, whichever layout the driver has chosen: requests come out, answers go in.
///
///     queue.drain(chain, [&](Chain& request) { ...; queue.complete(request, written); });
///
/// Rules:
/// - pop() fills a Chain, whose buffers then stay usable until the chain is given back by complete(), push()
/// or
///   unpop(): each chain that was popped, exactly once, from any thread. A reset waits for that.
/// - While the queue is stopped (before the driver is ready, during a reset, once the ring is broken) pop()
///   gives nothing, and what is given back goes nowhere: a device need not ask whether it runs.
/// - The driver rings only while the queue listens. silence() while requests are being taken, listen() before
///   going idle; drain() does both.
///
/// Any thread may call. The lock is held for one ring operation, and one edge of the interrupt line at most.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <variant>

#include "devices/virtio/chain.hpp"
#include "devices/virtio/coalescing.hpp"
#include "devices/virtio/packed_ring.hpp"
#include "devices/virtio/ring_memory.hpp"
#include "devices/virtio/split_ring.hpp"

namespace kvmbench::virtio {

/// What a queue tells the transport.
class QueueEvents {
 public:
  virtual ~QueueEvents() = default;
  /// The driver wants an interrupt: buffers were used. With the queue's lock held: must not call the queue.
  virtual void used_buffers() noexcept = 0;
  /// Something is held back: Virtqueue::time_is_up() is to be called once Coalescing::timeout has passed.
  /// With the lock held, as used_buffers().
  virtual void look_later() noexcept = 0;
  /// The driver has broken its ring or its request, and the device needs a reset. Without the lock.
  virtual void broken(Fault why) noexcept = 0;
};

class Virtqueue final {
 public:
  /// `max_size`: the most entries that a driver may choose; a power of two, at most 32768.
  Virtqueue(const GuestMemory& memory, std::uint16_t max_size, QueueEvents& events);

  // The device's side.

  /// The next request; false where there is none.
  [[nodiscard]] bool pop(Chain& chain);
  /// Makes a chain available again as if it had not been popped; several in the reverse order of their pop().
  void unpop(const Chain& chain) noexcept;
  /// Gives a chain back with `written` bytes of its writable part filled, from the first on without gaps, and
  /// interrupts where the driver wants it.
  void complete(const Chain& chain, std::uint32_t written) noexcept;
  /// The same without the interrupt: several in a row, then one signal().
  void push(const Chain& chain, std::uint32_t written) noexcept;
  /// As push(), of several: the driver sees all of them or none yet, as buffers that hold one frame want it.
  void push_together(std::span<const UsedChain> chains) noexcept;
  void signal() noexcept;

  /// The driver need not ring now.
  void silence() noexcept;
  /// The driver is to ring for the next request. False where one is there already, which may not have rung:
  /// it is to be popped. True while the queue is stopped.
  [[nodiscard]] bool listen() noexcept;

  /// Serves what there is until there is no more, and listens then. `serve(chain)` gives the chain back, now
  /// or later; then it takes the buffers with it (std::swap).
  template <class Serve>
  void drain(Chain& chain, const Serve& serve) {
    do {
      silence();
      while (pop(chain)) serve(chain);
    } while (!listen());
  }

  /// The driver has made a request that no device can serve (no room for the answer's status): as a broken
  /// ring. The chain at fault is still to be given back.
  void fail(Fault why) noexcept;

  /// Entries that the driver has chosen; 0 before it has started the queue.
  [[nodiscard]] std::uint16_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

  /// Between run() and stop(), with a ring that is not broken: what is given back reaches the driver.
  [[nodiscard]] bool running() const noexcept { return running_.load(std::memory_order_relaxed); }
  /// Requests given back to the driver since the machine began.
  [[nodiscard]] std::uint64_t completed() const noexcept {
    return completed_.load(std::memory_order_relaxed);
  }

  // The transport's side.

  [[nodiscard]] std::uint16_t max_size() const noexcept { return max_size_; }
  /// Before the machine runs.
  void coalesce(const Coalescing& coalescing) noexcept { coalescing_ = coalescing; }
  /// The driver has rung: whether the device is to look into the queue now.
  [[nodiscard]] bool rung() noexcept;
  /// Lets go what is held; whether the device is to look into the queue.
  [[nodiscard]] bool time_is_up() noexcept;
  /// Opens a ring, from its first entry on; a fault leaves the queue as it was. Only of a queue that is
  /// stopped and idle.
  [[nodiscard]] Fault open(const RingSettings& settings, bool packed) noexcept;
  /// From now on pop() gives what is in the ring, where one has been opened.
  void run() noexcept;
  /// From now on pop() gives nothing. Returns at once.
  void stop() noexcept;
  /// After stop(): waits until every chain has been given back.
  void wait_until_idle() noexcept;

 private:
  void returned() noexcept;
  void tell_broken(Fault why) noexcept;
  void signal_locked() noexcept;
  void interrupt_if_wanted() noexcept;
  void listen_ahead() noexcept;

  const GuestMemory& memory_;
  const std::uint16_t max_size_;
  QueueEvents& events_;

  std::mutex mutex_;
  std::condition_variable idle_;
  std::variant<SplitRing, PackedRing> ring_;
  bool open_ = false;
  std::atomic<bool> running_{false};  // written with the lock
  std::uint32_t in_flight_ = 0;
  Coalescing coalescing_;
  bool interrupt_held_ = false;
  bool listening_ahead_ = false;  ///< it has been rung for of late, and looks by itself
  std::atomic<std::uint16_t> size_{0};
  std::atomic<std::uint64_t> completed_{0};
};

}  // namespace kvmbench::virtio
