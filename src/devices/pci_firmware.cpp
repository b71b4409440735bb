#include "devices/pci_firmware.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "devices/pci_device.hpp"
#include "devices/pci_routing.hpp"

namespace kvmbench {

namespace {

constexpr unsigned status_command = 0x04, header_type = 0x0c, first_bar = 0x10, interrupts = 0x3c;
constexpr std::uint32_t absent = 0xffff'ffff;
constexpr std::uint32_t multifunction = 0x80u << 16;
constexpr std::uint32_t both_spaces = 0x3;
constexpr std::uint32_t bar_is_io = 1, io_flags = 0x3, memory_flags = 0xf;

/// One function's registers, through the ports.
class Function final {
 public:
  Function(PciConfig& pci, unsigned device, unsigned number)
      : pci_(pci), address_(0x8000'0000 | device << 11 | number << 8) {}

  [[nodiscard]] std::uint32_t read(unsigned offset) {
    pci_.write(PciConfig::config_address, 4, address_ | offset);
    return static_cast<std::uint32_t>(pci_.read(PciConfig::config_data, 4));
  }
  void write(unsigned offset, std::uint32_t value) {
    pci_.write(PciConfig::config_address, 4, address_ | offset);
    pci_.write(PciConfig::config_data, 4, value);
  }

 private:
  PciConfig& pci_;
  std::uint32_t address_;
};

/// Hands out addresses from the first on, each a multiple of its size.
class Range final {
 public:
  Range(std::uint64_t first, std::uint64_t end) : next_(first), end_(end) {}

  [[nodiscard]] std::uint32_t take(std::uint64_t size) {
    const std::uint64_t first = (next_ + size - 1) & ~(size - 1);
    if (first + size > end_) {
      throw std::logic_error(fmt::format("pci: {:#x} bytes do not fit below {:#x}", size, end_));
    }
    next_ = first + size;
    return static_cast<std::uint32_t>(first);
  }

 private:
  std::uint64_t next_;
  std::uint64_t end_;
};

void place_bars(Function function, Range& memory, Range& ports) {
  for (unsigned number = 0; number < PciDevice::bars; ++number) {
    const unsigned offset = first_bar + 4 * number;
    function.write(offset, 0xffff'ffff);
    const std::uint32_t sized = function.read(offset);
    if (sized == 0) continue;
    const bool io = (sized & bar_is_io) != 0;
    const std::uint64_t size = std::uint64_t{~(sized & ~(io ? io_flags : memory_flags))} + 1;
    function.write(offset, (io ? ports : memory).take(size));
  }
}

void set_up(Function function, unsigned device, Range& memory, Range& ports) {
  place_bars(function, memory, ports);
  const unsigned pin = function.read(interrupts) >> 8 & 0xff;
  if (pin != 0) function.write(interrupts, pci_routing::pic_irqs[pci_routing::link_of(device, pin)]);
  function.write(status_command, both_spaces);
}

}  // namespace

void set_up_pci(PciConfig& pci, const PciRanges& ranges) {
  Range memory(ranges.memory_first, ranges.memory_end);
  Range ports(ranges.ports_first, ranges.ports_end);
  for (unsigned device = 0; device < PciConfig::devices_per_bus; ++device) {
    for (unsigned number = 0; number < PciConfig::functions_per_device; ++number) {
      Function function(pci, device, number);
      if (function.read(0) == absent) {
        if (number == 0) break;
        continue;
      }
      set_up(function, device, memory, ports);
      if (number == 0 && (function.read(header_type) & multifunction) == 0) break;
    }
  }
  pci.write(PciConfig::config_address, 4, 0);  // as after a reset
}

}  // namespace kvmbench
