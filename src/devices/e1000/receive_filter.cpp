#include "devices/e1000/receive_filter.hpp"

#include <array>

#include "devices/e1000/internet_checksum.hpp"

namespace kvmbench::e1000 {

namespace {

constexpr std::size_t ethertype = 12, tag_control = 14;

bool is_receive_address(const RegisterFile& registers, const MacAddress& address) noexcept {
  const auto& bytes = address.bytes;
  const std::uint32_t low = std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 |
                            std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[3]} << 24;
  const std::uint32_t high = std::uint32_t{bytes[4]} | std::uint32_t{bytes[5]} << 8 | rah::av;
  constexpr std::uint32_t address_select = 3u << 16;  // 00b: compares destinations
  for (std::uint32_t at = reg::ral0; at < reg::ra_end; at += 8) {
    const std::uint32_t entry = registers[at + 4];
    const bool same = registers[at] == low && (entry & (rah::av | address_select | 0xffff)) == high;
    if (same) return true;
  }
  return false;
}

/// Twelve bits of the address, which ones RCTL.MO says, select one of the table's 4096 (13.5.1).
bool is_in_multicast_table(const RegisterFile& registers, const MacAddress& address) noexcept {
  static constexpr std::array<unsigned, 4> shifts = {4, 3, 2, 0};
  const unsigned shift = shifts[registers[reg::rctl] >> rctl::mo_shift & 3];
  const unsigned hash = (address.bytes[5] << 8u | address.bytes[4]) >> shift & 0xfff;
  return (registers[reg::mta + hash / 32 * 4] >> hash % 32 & 1) != 0;
}

bool passes_vlan_filter(const RegisterFile& registers, std::uint16_t tag) noexcept {
  const std::uint32_t control = registers[reg::rctl];
  if ((control & rctl::vfe) == 0) return true;
  const bool cfi = (tag & 0x1000) != 0;
  if ((control & rctl::cfien) != 0 && cfi != ((control & rctl::cfi) != 0)) return false;
  const unsigned id = tag & 0xfff;
  return (registers[reg::vfta + id / 32 * 4] >> id % 32 & 1) != 0;
}

}  // namespace

Match match_frame(const RegisterFile& registers, std::span<const std::byte> frame) noexcept {
  const std::uint32_t control = registers[reg::rctl];
  const MacAddress destination = destination_of(frame);
  if (const auto tag = vlan_tag(registers, frame); tag && !passes_vlan_filter(registers, *tag)) {
    return Match::none;
  }
  if (is_receive_address(registers, destination)) return Match::exact;
  if (destination.broadcast() && (control & rctl::bam) != 0) return Match::exact;
  if (!destination.multicast()) return (control & rctl::upe) != 0 ? Match::inexact : Match::none;
  if ((control & rctl::mpe) != 0 || is_in_multicast_table(registers, destination)) return Match::inexact;
  return Match::none;
}

std::optional<std::uint16_t> vlan_tag(const RegisterFile& registers,
                                      std::span<const std::byte> frame) noexcept {
  if (frame.size() < tag_control + 2) return std::nullopt;
  if (load_be16(frame, ethertype) != (registers[reg::vet] & 0xffff)) return std::nullopt;
  return load_be16(frame, tag_control);
}

}  // namespace kvmbench::e1000
