/// Rings in guest memory as device and driver share them: who writes what, and in which order it is seen.
///
/// The driver runs at the same time on other CPUs, and may be hostile: each value is copied once, and then
/// checked. Fields by which the two sides hand over entries are accessed atomically; the order that the
/// specification asks barriers for (VIRTIO 1.2, 2.7.13 and 2.8.21) is in the arguments here.
#pragma once

#define VIRTIO_RING_NO_LEGACY  // its inline functions are no C++
#include <linux/virtio_ring.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "devices/virtio/chain.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::virtio {

inline constexpr std::uint32_t descriptor_size = 16;  // of either layout
static_assert(sizeof(vring_desc) == descriptor_size && sizeof(vring_packed_desc) == descriptor_size);

/// What a driver has set up for a queue.
struct RingSettings {
  std::uint16_t size = 0;  ///< entries
  Gpa descriptor_area;
  Gpa driver_area;         ///< split: available ring; packed: driver event suppression
  Gpa device_area;         ///< split: used ring; packed: device event suppression
  bool event_idx = false;  ///< VIRTIO_RING_F_EVENT_IDX is negotiated
  bool indirect = false;   ///< VIRTIO_RING_F_INDIRECT_DESC
};

/// A 16-bit field at `at`, which is aligned.
[[nodiscard]] inline std::uint16_t load_field(const std::byte* at, std::memory_order order) noexcept {
  auto* field = reinterpret_cast<std::uint16_t*>(const_cast<std::byte*>(at));
  return std::atomic_ref(*field).load(order);
}
inline void store_field(std::byte* at, std::uint16_t value, std::memory_order order) noexcept {
  std::atomic_ref(*reinterpret_cast<std::uint16_t*>(at)).store(value, order);
}

/// A copy of what lies at `at`, which the compiler does not read a second time.
template <class T>
[[nodiscard]] T copy_of(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return value;
}

/// The part of a ring at `at`; empty, with `fault` set, where it is misaligned or not in memory.
[[nodiscard]] inline std::span<std::byte> ring_part(const GuestMemory& memory, Gpa at, std::uint64_t length,
                                                    std::uint64_t alignment, Fault& fault) noexcept {
  if (at.value % alignment != 0) {
    fault = "a part of the ring that is not aligned";
    return {};
  }
  const std::span<std::byte> bytes = memory.range(at, length);
  if (bytes.empty()) fault = "a part of the ring outside guest memory";
  return bytes;
}

}  // namespace kvmbench::virtio
