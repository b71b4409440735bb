/// What a network card has done, under the same names for every card, so that reports can set one against
/// another.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "devices/device.hpp"

namespace kvmbench {

/// Frames are counted as the card moves them: one that is cut into segments behind the card is one packet.
/// Any thread may add and read.
class NetworkCounters final {
 public:
  void sent(std::size_t bytes) noexcept { add(packets_sent_, bytes_sent_, bytes); }
  void received(std::size_t bytes) noexcept { add(packets_received_, bytes_received_, bytes); }
  /// A frame of the guest's that was malformed, or that the host did not take.
  void send_dropped() noexcept { sends_dropped_.fetch_add(1, std::memory_order_relaxed); }
  /// A frame for the guest that the card threw away for want of room, or for its length; not one that was for
  /// another address.
  void receive_dropped() noexcept { receives_dropped_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] std::vector<Operation> operations() const;

 private:
  using Count = std::atomic<std::uint64_t>;
  static void add(Count& packets, Count& sum, std::size_t bytes) noexcept {
    packets.fetch_add(1, std::memory_order_relaxed);
    sum.fetch_add(bytes, std::memory_order_relaxed);
  }

  Count packets_sent_ = 0;
  Count bytes_sent_ = 0;
  Count packets_received_ = 0;
  Count bytes_received_ = 0;
  Count sends_dropped_ = 0;
  Count receives_dropped_ = 0;
};

}  // namespace kvmbench
