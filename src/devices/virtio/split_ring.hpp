/// The device's side of a split virtqueue (VIRTIO 1.2, 2.7): descriptor table, available ring, used ring.
///
/// Not thread-safe; Virtqueue guards it. PackedRing has the same members.
#pragma once

#include <cstdint>
#include <span>

#include "devices/virtio/chain.hpp"
#include "devices/virtio/ring_memory.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::virtio {

class SplitRing final {
 public:
  explicit SplitRing(const GuestMemory& memory) noexcept : memory_(&memory) {}

  /// Begins with the first entry. Faults: a size that is 0 or no power of two, parts misaligned or outside
  /// memory.
  [[nodiscard]] Fault open(const RingSettings& settings) noexcept;

  /// Nothing is available now.
  [[nodiscard]] bool empty() const noexcept;
  /// How many chains are available now, up to `most`.
  [[nodiscard]] std::uint16_t available(std::uint16_t most) const noexcept;
  /// Takes the next available chain; only where the ring is not empty. After a fault the ring is of no use.
  [[nodiscard]] Fault pop(Chain& chain);
  /// Makes the chain that pop() gave last available again.
  void unpop(const Chain& chain) noexcept;
  /// Gives a chain back to the driver, with `written` bytes in its writable part.
  void push(const Chain& chain, std::uint32_t written) noexcept;
  /// Gives several back, at least one: the driver sees all of them, or none yet.
  void push_together(std::span<const UsedChain> chains) noexcept;

  /// Whether the driver wants an interrupt for what was pushed since this was last asked.
  [[nodiscard]] bool wants_interrupt() noexcept;
  /// How many pushes have come since wants_interrupt() was last asked.
  [[nodiscard]] std::uint16_t unsignalled() const noexcept {
    return static_cast<std::uint16_t>(next_used_ - signalled_);
  }

  /// The driver need not ring for what it makes available.
  void silence() noexcept;
  /// The driver is to ring when `ahead` entries more than are taken now, and one, are available (without
  /// EVENT_IDX: for each, or for none where `ahead` is not 0). What came before it could see this has not
  /// rung: look at empty() again.
  void listen(std::uint16_t ahead) noexcept;

 private:
  [[nodiscard]] Fault walk(std::uint16_t head, Chain& chain) const;
  void put_used(const Chain& chain, std::uint32_t written) noexcept;
  void publish_used() noexcept;

  const GuestMemory* memory_;
  RingSettings settings_;
  std::span<std::byte> descriptors_;
  std::span<std::byte> available_;
  std::span<std::byte> used_;
  std::uint16_t next_available_ = 0;  ///< free-running, as the indices in memory are
  std::uint16_t next_used_ = 0;
  std::uint16_t signalled_ = 0;  ///< next_used_ when wants_interrupt() was last asked
  std::uint16_t in_flight_ = 0;  ///< popped and not pushed
};

}  // namespace kvmbench::virtio
