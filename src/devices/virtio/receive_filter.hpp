/// Which frames a virtio network device lets through to its driver (VIRTIO 1.2, 5.1.6.5.1 to 5.1.6.5.2).
#pragma once

#include <array>
#include <cstddef>

#include "devices/mac_address.hpp"

namespace kvmbench::virtio {

class ReceiveFilter final {
 public:
  /// The six modes of VIRTIO_NET_CTRL_RX, which a driver sets one by one.
  struct Modes {
    bool promiscuous = false;
    bool all_multicast = false;
    bool all_unicast = false;
    bool no_multicast = false;
    bool no_unicast = false;
    bool no_broadcast = false;
  };

  /// Addresses beside the device's own. One that holds more than its capacity was given lets all of its kind
  /// through: it may let through too much, never too little.
  class Table final {
   public:
    static constexpr std::size_t capacity = 64;
    void clear() noexcept { count_ = 0; }
    void add(const MacAddress& address) noexcept;
    [[nodiscard]] bool has(const MacAddress& address) const noexcept;

   private:
    std::array<MacAddress, capacity> addresses_{};
    std::size_t count_ = 0;  ///< capacity + 1: overflown
  };

  Modes modes;
  Table unicast;
  Table multicast;

  /// `own`: the device's own address.
  [[nodiscard]] bool accepts(const MacAddress& destination, const MacAddress& own) const noexcept;
};

}  // namespace kvmbench::virtio
