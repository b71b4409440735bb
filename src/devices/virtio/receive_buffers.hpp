/// The buffers that a driver has given for received frames (VIRTIO 1.2, 5.1.6.3 and 5.1.6.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "devices/linux_virtio_net.hpp"
#include "devices/virtio/chain.hpp"
#include "devices/virtio/virtqueue.hpp"

namespace kvmbench::virtio {

/// Chains that were taken for a frame they do not hold yet are kept for the next attempt. For one thread, or
/// under its owner's lock.
class ReceiveBuffers final {
 public:
  explicit ReceiveBuffers(Virtqueue& queue) : queue_(queue) {}

  enum class Outcome {
    stored,
    no_room,   ///< the driver rings when it gives more
    too_long,  ///< for the one buffer, or for all that the queue has entries for
  };
  /// Gives the driver a frame behind its header: in one chain, or, where `mergeable`, in as many as it takes,
  /// whose count goes into the header.
  [[nodiscard]] Outcome store(virtio_net_hdr_v1 header, std::span<const std::byte> frame, bool mergeable);

  /// Makes what is kept available again.
  void give_back() noexcept;

 private:
  enum class Taken { one, none, fault };
  [[nodiscard]] Taken take();
  void fill(const virtio_net_hdr_v1& header, std::span<const std::byte> frame, std::size_t chains) noexcept;

  Virtqueue& queue_;
  std::vector<Chain> chains_;    // the first kept_ of them are kept, in the order of the ring
  std::vector<UsedChain> used_;  // what fill() gives back
  std::size_t kept_ = 0;
  std::uint64_t kept_bytes_ = 0;
  std::uint32_t kept_entries_ = 0;  // of the ring
  bool listening_ = true;
};

}  // namespace kvmbench::virtio
