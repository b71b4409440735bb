#include "devices/bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

namespace kvmbench {
namespace {

void add_once(std::vector<const Device*>& devices, const Device* device) {
  if (std::find(devices.begin(), devices.end(), device) == devices.end()) devices.push_back(device);
}

}  // namespace

BusWindow& BusWindows::add(std::uint64_t length, Device& device, std::uint64_t offset) {
  if (length < 2 || !std::has_single_bit(length)) {
    throw std::logic_error(fmt::format("{}: no window has {:#x} bytes", device.name(), length));
  }
  return windows_.emplace_back(length, device, offset);
}

BusTarget BusWindows::find(std::uint64_t address) const noexcept {
  for (const BusWindow& window : windows_) {
    if (const BusTarget target = window.find(address); target.device != nullptr) return target;
  }
  return {};
}

BusTarget BusWindows::find_last(std::uint64_t address) const noexcept {
  for (const BusWindow& window : windows_) {
    if (const BusTarget target = window.find_last(address); target.device != nullptr) return target;
  }
  return {};
}

void BusWindows::list(std::vector<const Device*>& devices) const {
  for (const BusWindow& window : windows_) add_once(devices, &window.device());
}

PortBus::PortBus() : regions_(1), region_(0x1'0000) {}

void PortBus::attach(std::uint16_t first, std::uint32_t length, Device& device, std::uint64_t offset) {
  const std::uint32_t end = first + length;
  if (length == 0 || end > region_.size()) {
    throw std::logic_error(fmt::format("{}: ports {:#x} to {:#x} do not exist", device.name(), first, end));
  }
  if (regions_.size() > std::numeric_limits<std::uint8_t>::max()) {
    throw std::logic_error("more than 255 regions on the port bus");
  }
  for (std::uint32_t port = first; port < end; ++port) {
    if (region_[port] != 0) {
      throw std::logic_error(fmt::format("{}: port {:#x} is taken by {}", device.name(), port,
                                         regions_[region_[port]].device->name()));
    }
  }
  std::fill_n(region_.begin() + first, length, static_cast<std::uint8_t>(regions_.size()));
  regions_.push_back({first, &device, offset});
}

BusTarget PortBus::find(std::uint16_t port) const noexcept {
  const std::uint8_t index = region_[port];
  if (index == 0) return windows_.find(port);
  const Region& region = regions_[index];
  return {region.device, region.offset + (port - region.first)};
}

BusTarget PortBus::find_last(std::uint16_t port) const noexcept {
  const BusTarget target = find(port);
  return target.device != nullptr ? target : windows_.find_last(port);
}

void PortBus::list(std::vector<const Device*>& devices) const {
  for (auto region = regions_.begin() + 1; region != regions_.end(); ++region)
    add_once(devices, region->device);
  windows_.list(devices);
}

void MmioBus::attach(std::uint64_t first, std::uint64_t length, Device& device, std::uint64_t offset) {
  if (length == 0 || first + length < first) {
    throw std::logic_error(fmt::format("{}: {:#x} bytes at {:#x} wrap around", device.name(), length, first));
  }
  const auto next =
      std::lower_bound(regions_.begin(), regions_.end(), first,
                       [](const Region& region, std::uint64_t at) { return region.first < at; });
  const bool meets_next = next != regions_.end() && first + length > next->first;
  const bool meets_previous =
      next != regions_.begin() && std::prev(next)->first + std::prev(next)->length > first;
  if (meets_next || meets_previous) {
    throw std::logic_error(fmt::format("{}: {:#x} bytes at {:#x} are taken by {}", device.name(), length,
                                       first, (meets_next ? next : std::prev(next))->device->name()));
  }
  regions_.insert(next, {first, length, &device, offset});
}

BusTarget MmioBus::find(std::uint64_t address) const noexcept {
  const BusTarget target = find_attached(address);
  return target.device != nullptr ? target : windows_.find(address);
}

BusTarget MmioBus::find_last(std::uint64_t address) const noexcept {
  const BusTarget target = find(address);
  return target.device != nullptr ? target : windows_.find_last(address);
}

BusTarget MmioBus::find_attached(std::uint64_t address) const noexcept {
  const auto target_in = [address](const Region& region) {
    return BusTarget{region.device, region.offset + (address - region.first)};
  };
  const std::uint32_t last = last_hit_.load(std::memory_order_relaxed);
  if (last < regions_.size() && address - regions_[last].first < regions_[last].length) {
    return target_in(regions_[last]);
  }
  const auto after =
      std::upper_bound(regions_.begin(), regions_.end(), address,
                       [](std::uint64_t at, const Region& region) { return at < region.first; });
  if (after == regions_.begin()) return {};
  const auto region = std::prev(after);
  if (address - region->first >= region->length) return {};
  last_hit_.store(static_cast<std::uint32_t>(region - regions_.begin()), std::memory_order_relaxed);
  return target_in(*region);
}

void MmioBus::list(std::vector<const Device*>& devices) const {
  for (const Region& region : regions_) add_once(devices, region.device);
  windows_.list(devices);
}

}  // namespace kvmbench
