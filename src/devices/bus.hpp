/// From a port or an address to the device that answers there.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "devices/device.hpp"

namespace kvmbench {

/// The device found, and the offset of the access in its region; `device` is null where nobody answers.
struct BusTarget {
  Device* device = nullptr;
  std::uint64_t offset = 0;
};

/// A region that the guest moves, or takes off its bus, while the machine runs: what a PCI base address
/// register decodes. Its place is one atomic word, so that a lookup beside a move finds the region at its old
/// place or at its new one, and waits for nobody.
class BusWindow final {
 public:
  /// `length`: a power of two, at least 2. It is nowhere until it is placed.
  BusWindow(std::uint64_t length, Device& device, std::uint64_t offset) noexcept
      : length_(length), device_(device), offset_(offset) {}

  [[nodiscard]] std::uint64_t length() const noexcept { return length_; }
  [[nodiscard]] const Device& device() const noexcept { return device_; }
  /// At `first`, whose bits below the length do not count.
  void place(std::uint64_t first) noexcept {
    place_.store(first & ~(length_ - 1), std::memory_order_release);
  }
  /// Off the bus; where it was is still known.
  void remove() noexcept { place_.fetch_or(removed, std::memory_order_release); }

  /// Who answers at `address`.
  [[nodiscard]] BusTarget find(std::uint64_t address) const noexcept { return target(address, place()); }
  /// Who does, or did before the window was removed.
  [[nodiscard]] BusTarget find_last(std::uint64_t address) const noexcept {
    return target(address, place() == nowhere ? nowhere : place() & ~removed);
  }

 private:
  static constexpr std::uint64_t removed = 1;  // no place has it, as all are multiples of the length
  static constexpr std::uint64_t nowhere = ~std::uint64_t{0};

  [[nodiscard]] std::uint64_t place() const noexcept { return place_.load(std::memory_order_acquire); }
  [[nodiscard]] BusTarget target(std::uint64_t address, std::uint64_t place) const noexcept {
    if ((address & ~(length_ - 1)) != place) return {};
    return {&device_, offset_ + (address - place)};
  }

  const std::uint64_t length_;
  Device& device_;
  const std::uint64_t offset_;
  std::atomic<std::uint64_t> place_{nowhere};
};

/// The windows of a bus: few, so that they are looked through in turn. Where two are at one place, the one
/// that was added first answers.
class BusWindows final {
 public:
  /// Throws std::logic_error for a length that is no power of two.
  BusWindow& add(std::uint64_t length, Device& device, std::uint64_t offset);
  [[nodiscard]] BusTarget find(std::uint64_t address) const noexcept;
  [[nodiscard]] BusTarget find_last(std::uint64_t address) const noexcept;
  void list(std::vector<const Device*>& devices) const;

 private:
  std::deque<BusWindow> windows_;  // whose addresses stay
};

/// The 64 Ki I/O ports: a table, so that a lookup costs the same for every port.
class PortBus final {
 public:
  PortBus();

  /// `device` answers [first, first + length), and sees `first` as `offset` (a device with registers in
  /// several places tells them apart by it). Throws std::logic_error where a port is taken or past 0xffff: a
  /// machine is put together wrongly, no guest can cause it. Only while the machine is built.
  void attach(std::uint16_t first, std::uint32_t length, Device& device, std::uint64_t offset = 0);

  /// A region that the guest places; what is attached at the same ports answers before it. Only while the
  /// machine is built.
  [[nodiscard]] BusWindow& add_window(std::uint32_t length, Device& device, std::uint64_t offset = 0) {
    return windows_.add(length, device, offset);
  }

  [[nodiscard]] BusTarget find(std::uint16_t port) const noexcept;
  /// For reports: as find(), and then who answered last, before the guest removed it.
  [[nodiscard]] BusTarget find_last(std::uint16_t port) const noexcept;
  /// Adds those on this bus that are not in `devices` yet, in the order they were attached; those in windows
  /// come last, placed or not.
  void list(std::vector<const Device*>& devices) const;

 private:
  struct Region {
    std::uint16_t first;
    Device* device;
    std::uint64_t offset;
  };
  std::vector<Region> regions_;       // [0] is nobody's
  std::vector<std::uint8_t> region_;  // by port: index into regions_
  BusWindows windows_;
};

/// Memory-mapped devices: the last hit, then binary search, then the windows. Where there is RAM, KVM asks
/// nobody.
class MmioBus final {
 public:
  /// As PortBus::attach, for guest-physical addresses.
  void attach(std::uint64_t first, std::uint64_t length, Device& device, std::uint64_t offset = 0);

  /// As PortBus::add_window.
  [[nodiscard]] BusWindow& add_window(std::uint64_t length, Device& device, std::uint64_t offset = 0) {
    return windows_.add(length, device, offset);
  }

  [[nodiscard]] BusTarget find(std::uint64_t address) const noexcept;
  /// As PortBus::find_last.
  [[nodiscard]] BusTarget find_last(std::uint64_t address) const noexcept;
  /// As PortBus::list, in the order of their addresses.
  void list(std::vector<const Device*>& devices) const;

 private:
  struct Region {
    std::uint64_t first;
    std::uint64_t length;
    Device* device;
    std::uint64_t offset;
  };
  [[nodiscard]] BusTarget find_attached(std::uint64_t address) const noexcept;

  std::vector<Region> regions_;  // ascending, disjoint
  BusWindows windows_;
  mutable std::atomic<std::uint32_t> last_hit_{0};
};

}  // namespace kvmbench
