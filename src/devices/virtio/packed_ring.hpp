/// The device's side of a packed virtqueue (VIRTIO 1.2, 2.8): one descriptor ring that both sides write, and
/// an event suppression structure for each direction.
///
/// Not thread-safe; Virtqueue guards it. SplitRing has the same members and explains them.
#pragma once

#include <cstdint>
#include <span>

#include "devices/virtio/chain.hpp"
#include "devices/virtio/ring_memory.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::virtio {

class PackedRing final {
 public:
  /// 2.8.10.1: an offset in the ring has 15 bits.
  static constexpr std::uint16_t max_size = 1 << 15;

  explicit PackedRing(const GuestMemory& memory) noexcept : memory_(&memory) {}

  /// Faults: a size of 0 or above max_size, parts misaligned or outside memory.
  [[nodiscard]] Fault open(const RingSettings& settings) noexcept;
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] std::uint16_t available(std::uint16_t most) const noexcept;  ///< descriptors
  [[nodiscard]] Fault pop(Chain& chain);
  void unpop(const Chain& chain) noexcept;
  void push(const Chain& chain, std::uint32_t written) noexcept;
  void push_together(std::span<const UsedChain> chains) noexcept;
  [[nodiscard]] bool wants_interrupt() noexcept;
  [[nodiscard]] std::uint16_t unsignalled() const noexcept { return pushes_; }
  void silence() noexcept;
  void listen(std::uint16_t ahead) noexcept;

 private:
  /// A place in the ring and the wrap counter that belongs to it (2.8.1).
  struct Position {
    std::uint16_t offset = 0;
    bool wrap = true;
  };
  [[nodiscard]] Position moved(Position from, std::uint16_t by) const noexcept;
  [[nodiscard]] bool is_available(Position at) const noexcept;
  [[nodiscard]] std::byte* descriptor(std::uint16_t offset) const noexcept;
  [[nodiscard]] Fault walk(Chain& chain) const;
  /// All of a used entry but its flags, which are returned: once they are written the driver has it.
  [[nodiscard]] std::uint16_t put_used(const Chain& chain, std::uint32_t written) noexcept;

  const GuestMemory* memory_;
  RingSettings settings_;
  std::span<std::byte> descriptors_;
  std::span<std::byte> driver_event_;
  std::span<std::byte> device_event_;
  Position next_available_;
  Position next_used_;
  std::uint16_t in_flight_ = 0;     ///< descriptors popped and not pushed
  std::uint16_t pushes_ = 0;        ///< chains since wants_interrupt() was last asked; stays at its greatest
  std::uint32_t used_entries_ = 0;  ///< ring entries of these, at most the queue's size
};

}  // namespace kvmbench::virtio
