/// Which frames are for this station (3.2.1; 13.5; chapter 9 for VLANs).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "devices/e1000/register_file.hpp"
#include "devices/mac_address.hpp"

namespace kvmbench::e1000 {

enum class Match {
  none,
  exact,   ///< of a receive address, or broadcast
  inexact  ///< of the multicast table, or promiscuously: software has to look (RDESC.STATUS.PIF)
};

/// `frame` has at least an Ethernet header. By RCTL, the receive addresses, MTA and VFTA.
[[nodiscard]] Match match_frame(const RegisterFile& registers, std::span<const std::byte> frame) noexcept;

/// The tag control information of a frame whose type is VET's; none where it has another.
[[nodiscard]] std::optional<std::uint16_t> vlan_tag(const RegisterFile& registers,
                                                    std::span<const std::byte> frame) noexcept;

}  // namespace kvmbench::e1000
