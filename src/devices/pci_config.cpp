#include "devices/pci_config.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

constexpr RegisterPlace data_place{PciConfig::config_data, 4};

// CONFIG_ADDRESS (3.2.2.3.2, figure 3-2). Bits 30 to 24, 1 and 0 read as 0.
enum : std::uint32_t {
  enable = 0x8000'0000,
  bus_number = 0x00ff'0000,
  device_and_function = 0x0000'ff00,
  register_number = 0x0000'00fc,
  writable = enable | bus_number | device_and_function | register_number,
};

bool is_config_address(std::uint64_t offset, unsigned width) noexcept {
  return offset == PciConfig::config_address && width == 4;
}

}  // namespace

PciConfig::PciConfig() {
  attach(0, 0, host_bridge_);
}

void PciConfig::attach(unsigned device, unsigned function, PciFunction& pci_function) {
  if (device >= devices_per_bus || function >= functions_per_device) {
    throw std::logic_error(fmt::format("pci: there is no place 00:{:02x}.{}", device, function));
  }
  PciFunction*& place = functions_[device * functions_per_device + function];
  if (place != nullptr) {
    throw std::logic_error(fmt::format("pci: 00:{:02x}.{} is taken", device, function));
  }
  place = &pci_function;
}

std::uint64_t PciConfig::read(std::uint64_t offset, unsigned width) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_config_address(offset, width)) return address_;
  if (offset < config_data || !reaches(data_place, offset, width)) return all_ones(width);
  PciFunction* const function = selected();
  if (function == nullptr) return all_ones(width);
  return read_from(data_place, function->read_config(address_ & register_number), offset, width,
                   all_ones(width));
}

void PciConfig::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_config_address(offset, width)) {
    address_ = static_cast<std::uint32_t>(value) & writable;
    return;
  }
  if (offset < config_data || !reaches(data_place, offset, width)) return;
  if (PciFunction* const function = selected()) {
    const RegisterWrite write = written_to(data_place, offset, width, value);
    function->write_config(address_ & register_number, write.value, write.mask);
  }
}

std::string PciConfig::register_name(std::uint64_t offset, Direction) const {
  if (offset == config_address) return "CONFIG_ADDRESS";
  if (reaches(data_place, offset, 1)) return "CONFIG_DATA";
  return unnamed_register(offset);
}

PciFunction* PciConfig::selected() const noexcept {
  if ((address_ & enable) == 0 || (address_ & bus_number) != 0) return nullptr;
  return functions_[(address_ & device_and_function) >> 8];
}

}  // namespace kvmbench
