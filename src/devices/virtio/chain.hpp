/// One request of a driver: a descriptor chain, checked against guest memory.
#pragma once

#include <cstdint>

#include "devices/virtio/buffers.hpp"

namespace kvmbench::virtio {

/// Filled by Virtqueue::pop(). A device keeps as many of them as requests it has under way, and fills each
/// again and again: its lists keep their memory.
class Chain final {
 public:
  /// A chain through an indirect table has at most so many descriptors, one without at most as many as the
  /// queue has entries.
  static constexpr std::uint16_t max_descriptors = 1024;

  Buffers<const std::byte> readable;  ///< what the driver gives: it comes first (VIRTIO 1.2, 2.7.4.2)
  Buffers<std::byte> writable;        ///< where the driver wants the answer

  // The queue's own.
  std::uint16_t id = 0;           ///< split: index of the head; packed: buffer ID
  std::uint16_t descriptors = 0;  ///< ring entries taken; an indirect table is one
};

/// A chain that goes back to the driver, with the first `written` bytes of its writable part filled.
struct UsedChain {
  const Chain* chain = nullptr;
  std::uint32_t written = 0;
};

/// What a driver did wrong, as a string literal; null where nothing.
using Fault = const char*;

}  // namespace kvmbench::virtio
