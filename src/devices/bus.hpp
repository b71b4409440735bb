/// From a port or an address to the device that answers there.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "devices/device.hpp"

namespace kvmbench {

/// The device found, and the offset of the access in its region; `device` is null where nobody answers.
struct BusTarget {
  Device* device = nullptr;
  std::uint64_t offset = 0;
};

/// The 64 Ki I/O ports: a table, so that a lookup costs the same for every port.
class PortBus final {
 public:
  PortBus();

  /// `device` answers [first, first + length), and sees `first` as `offset` (a device with registers in
  /// several places tells them apart by it). Throws std::logic_error where a port is taken or past 0xffff: a
  /// machine is put together wrongly, no guest can cause it. Only while the machine is built.
  void attach(std::uint16_t first, std::uint32_t length, Device& device, std::uint64_t offset = 0);

  [[nodiscard]] BusTarget find(std::uint16_t port) const noexcept;

 private:
  struct Region {
    std::uint16_t first;
    Device* device;
    std::uint64_t offset;
  };
  std::vector<Region> regions_;       // [0] is nobody's
  std::vector<std::uint8_t> region_;  // by port: index into regions_
};

/// Memory-mapped devices: the last hit, then binary search.
class MmioBus final {
 public:
  /// As PortBus::attach, for guest-physical addresses.
  void attach(std::uint64_t first, std::uint64_t length, Device& device, std::uint64_t offset = 0);

  [[nodiscard]] BusTarget find(std::uint64_t address) const noexcept;

 private:
  struct Region {
    std::uint64_t first;
    std::uint64_t length;
    Device* device;
    std::uint64_t offset;
  };
  std::vector<Region> regions_;  // ascending, disjoint
  mutable std::atomic<std::uint32_t> last_hit_{0};
};

}  // namespace kvmbench
