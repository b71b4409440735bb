#include "devices/piix3.hpp"

namespace kvmbench {
namespace {

constexpr std::uint16_t intel = 0x8086;
constexpr PciIdentity isa_bridge{
    .vendor = intel, .device = 0x7000, .class_code = 0x06'01'00, .multifunction = true};
/// The programming interface: both channels in legacy mode for good; bit 7 is set although the data sheet's
/// bus master is left out, as it is fixed there.
constexpr PciIdentity ide{.vendor = intel, .device = 0x7010, .class_code = 0x01'01'80};

// Registers, by their dword.
enum : unsigned {
  pcicmd = 0x04,
  pirqrc = 0x60,  // PIRQRC[A:D]
  dlc = 0x80,     // DLC is byte 0x82
  idetim = 0x40,  // primary; secondary 0x42
  sidetim = 0x44,
};

constexpr std::uint32_t not_routed = 0x8080'8080;
constexpr std::uint32_t dlc_bits = 0x000f'0000;
constexpr std::uint32_t ide_decode_enable = 0x8000;
constexpr std::uint32_t idetim_bits = 0xf3ff'f3ff;
constexpr std::uint32_t sidetim_bits = 0xff;
constexpr std::uint32_t io_space_enable = 1;

void merge(std::uint32_t& kept, std::uint32_t value, std::uint32_t mask) noexcept {
  kept = (kept & ~mask) | (value & mask);
}

}  // namespace

Piix3IsaBridge::Piix3IsaBridge() : PciDevice(isa_bridge) {}

std::uint32_t Piix3IsaBridge::read_config(unsigned offset) noexcept {
  if (offset == pirqrc) return not_routed;
  if (offset == dlc) return dlc_;
  return PciDevice::read_config(offset);
}

void Piix3IsaBridge::write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept {
  if (offset == dlc) return merge(dlc_, value, mask & dlc_bits);
  PciDevice::write_config(offset, value, mask);
}

Piix3Ide::Piix3Ide(bool primary, bool secondary)
    : PciDevice(ide),
      idetim_((primary ? ide_decode_enable : 0) | (secondary ? ide_decode_enable << 16 : 0)) {}

std::uint32_t Piix3Ide::read_config(unsigned offset) noexcept {
  if (offset == idetim) return idetim_;
  if (offset == sidetim) return sidetim_;
  const std::uint32_t value = PciDevice::read_config(offset);
  return offset == pcicmd ? value | io_space_ : value;
}

void Piix3Ide::write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept {
  if (offset == idetim) return merge(idetim_, value, mask & idetim_bits);
  if (offset == sidetim) return merge(sidetim_, value, mask & sidetim_bits);
  if (offset == pcicmd) merge(io_space_, value, mask & io_space_enable);
  PciDevice::write_config(offset, value, mask);
}

}  // namespace kvmbench
