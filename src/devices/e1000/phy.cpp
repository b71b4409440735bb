#include "devices/e1000/phy.hpp"

namespace kvmbench::e1000 {

namespace {

// MDIC (table 13-11).
enum : std::uint32_t {
  mdic_data = 0xffff,
  mdic_write = 1u << 26,
  mdic_read = 2u << 26,
  mdic_op = 3u << 26,
  mdic_ready = 1u << 28,
  mdic_interrupt = 1u << 29,
  mdic_error = 1u << 30,
};
constexpr unsigned register_shift = 16, phy_shift = 21;
constexpr unsigned our_address = 1;

// PHY registers (8.8; those below 16 are IEEE 802.3's, clause 22).
enum : unsigned {
  pctrl = 0,
  pstatus = 1,
  pid = 2,
  epid = 3,
  ana = 4,
  anlpa = 5,
  ane = 6,
  npt = 7,
  lpn = 8,
  gcon = 9,
  gstatus = 10,
  epstatus = 15,
  pscon = 16,
  psstat = 17,
  pie = 18,
  pis = 19,
  epscon1 = 20,
  rec = 21,
};
enum : std::uint16_t {
  pctrl_duplex = 1u << 8,
  pctrl_restart_negotiation = 1u << 9,
  pctrl_isolate = 1u << 10,
  pctrl_power_down = 1u << 11,
  pctrl_negotiate = 1u << 12,
  pctrl_loopback = 1u << 14,
  pctrl_reset = 1u << 15,
  pctrl_speed_1000 = 1u << 6,

  pstatus_abilities =
      0x7949,  // 10 and 100 Mb/s both ways, extended status, preamble suppression, negotiation
  pstatus_link = 1u << 2,
  pstatus_negotiated = 1u << 5,

  ana_initial = 0x01e1,    // IEEE 802.3; 10 and 100 Mb/s both ways
  anlpa_partner = 0xcde1,  // the same, with pause, acknowledged, next page
  ane_partner_able = 0x0001,
  gcon_initial = 0x0e00,     // 1000 Mb/s both ways
  gstatus_partner = 0x7c00,  // 1000 Mb/s both ways, both receivers fine
  epstatus_1000 = 0x3000,
  pscon_initial = 0x0360,
  psstat_up_1000_full = 0xac08,  // resolved: 1000 Mb/s, full duplex, link
  psstat_down = 0x0000,
  epscon1_initial = 0x0d60,
};

}  // namespace

bool Phy::write_mdic(std::uint32_t value) noexcept {
  const std::uint32_t operation = value & mdic_op;
  const unsigned number = value >> register_shift & (registers - 1);
  const bool ours = (value >> phy_shift & 0x1f) == our_address;
  mdic_ = (value & ~std::uint32_t{mdic_error}) | mdic_ready;
  if (!ours || (operation != mdic_read && operation != mdic_write)) {
    mdic_ |= mdic_error;
  } else if (operation == mdic_read) {
    mdic_ = (mdic_ & ~std::uint32_t{mdic_data}) | read(number);
  } else {
    write(number, static_cast<std::uint16_t>(value & mdic_data));
  }
  return (value & mdic_interrupt) != 0;
}

void Phy::set_cable(bool connected) noexcept {
  cable_ = connected;
  if (!link_up()) link_lost_ = true;
}

bool Phy::link_up() const noexcept {
  return cable_ && (registers_[pctrl] & (pctrl_power_down | pctrl_isolate)) == 0;
}

bool Phy::loopback() const noexcept {
  return (registers_[pctrl] & pctrl_loopback) != 0;
}

void Phy::reset() noexcept {
  registers_ = {};
  registers_[pctrl] = pctrl_negotiate | pctrl_duplex | pctrl_speed_1000;
  registers_[pid] = 0x0141;  // 88E1011 (Marvell's OUI), model 2, revision 0
  registers_[epid] = 0x0c20;
  registers_[ana] = ana_initial;
  registers_[gcon] = gcon_initial;
  registers_[epstatus] = epstatus_1000;
  registers_[pscon] = pscon_initial;
  registers_[epscon1] = epscon1_initial;
}

std::uint16_t Phy::read(unsigned number) noexcept {
  const bool up = link_up();
  switch (number) {
    case pstatus: {
      const bool shown = up && !link_lost_;
      link_lost_ = !up;
      return static_cast<std::uint16_t>(pstatus_abilities | (shown ? unsigned{pstatus_link} : 0u) |
                                        (up ? unsigned{pstatus_negotiated} : 0u));
    }
    case anlpa:
      return up ? std::uint16_t{anlpa_partner} : std::uint16_t{0};
    case ane:
      return up ? std::uint16_t{ane_partner_able} : std::uint16_t{0};
    case gstatus:
      return up ? std::uint16_t{gstatus_partner} : std::uint16_t{0};
    case psstat:
      return up ? psstat_up_1000_full : psstat_down;
    default:
      return registers_[number];
  }
}

void Phy::write(unsigned number, std::uint16_t value) noexcept {
  switch (number) {
    case pctrl:
      if ((value & pctrl_reset) != 0) {
        reset();
        return;
      }
      // Restarting is done at once, and its bit clears itself.
      registers_[pctrl] = static_cast<std::uint16_t>(value & ~unsigned{pctrl_restart_negotiation} & 0xffc0);
      if (!link_up()) link_lost_ = true;
      return;
    case ana:
    case npt:
    case gcon:
    case pscon:
    case pie:
    case epscon1:
      registers_[number] = value;
      return;
    default:
      if (number > rec) registers_[number] = value;  // page and test registers, without effect
      return;
  }
}

}  // namespace kvmbench::e1000
