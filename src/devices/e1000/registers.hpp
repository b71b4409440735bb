/// Registers of the 82540EM. Section numbers here and in this folder: Intel "PCI/PCI-X Family of Gigabit
/// Ethernet Controllers Software Developer's Manual" (order number 317453, revision 4.0), chapter 13 for
/// registers.
#pragma once

#include <cstdint>
#include <string>

namespace kvmbench::e1000 {

/// Offsets in the memory BAR (table 13-2). Named as the manual has them, in small letters.
namespace reg {
enum : std::uint32_t {
  ctrl = 0x0000,
  status = 0x0008,
  eecd = 0x0010,
  eerd = 0x0014,
  ctrl_ext = 0x0018,
  mdic = 0x0020,
  fcal = 0x0028,
  fcah = 0x002c,
  fct = 0x0030,
  vet = 0x0038,
  icr = 0x00c0,
  itr = 0x00c4,
  ics = 0x00c8,
  ims = 0x00d0,
  imc = 0x00d8,
  rctl = 0x0100,
  fcttv = 0x0170,
  txcw = 0x0178,
  rxcw = 0x0180,
  tctl = 0x0400,
  tipg = 0x0410,
  ait = 0x0458,
  ledctl = 0x0e00,
  pba = 0x1000,
  fcrtl = 0x2160,
  fcrth = 0x2168,
  rdfh = 0x2410,
  rdft = 0x2418,
  rdfhs = 0x2420,
  rdfts = 0x2428,
  rdfpc = 0x2430,
  rdbal = 0x2800,
  rdbah = 0x2804,
  rdlen = 0x2808,
  rdh = 0x2810,
  rdt = 0x2818,
  rdtr = 0x2820,
  rxdctl = 0x2828,
  radv = 0x282c,
  rsrpd = 0x2c00,
  txdmac = 0x3000,
  tdfh = 0x3410,
  tdft = 0x3418,
  tdfhs = 0x3420,
  tdfts = 0x3428,
  tdfpc = 0x3430,
  tdbal = 0x3800,
  tdbah = 0x3804,
  tdlen = 0x3808,
  tdh = 0x3810,
  tdt = 0x3818,
  tidv = 0x3820,
  txdctl = 0x3828,
  tadv = 0x382c,
  tspmt = 0x3830,
  statistics = 0x4000,  // to statistics_end: statistics.hpp
  statistics_end = 0x4100,
  rxcsum = 0x5000,
  mta = 0x5200,  // 128 dwords
  mta_end = 0x5400,
  ral0 = 0x5400,  // 16 pairs RAL, RAH
  ra_end = 0x5480,
  vfta = 0x5600,  // 128 dwords
  vfta_end = 0x5800,
  wuc = 0x5800,
  wufc = 0x5808,
  wus = 0x5810,
  ipav = 0x5838,
  ip4at = 0x5840,
  ip4at_end = 0x5860,
  ip6at = 0x5880,
  ip6at_end = 0x5890,
  manc = 0x5820,
  wupl = 0x5900,
  wupm = 0x5a00,
  wupm_end = 0x5a80,
  fflt = 0x5f00,
  fflt_end = 0x5f20,
  ffmt = 0x9000,
  ffmt_end = 0x9400,
  ffvt = 0x9800,
  ffvt_end = 0x9c00,
};
}  // namespace reg

/// Bytes of the memory BAR, of which registers take the first part; the rest reads as 0.
inline constexpr std::uint64_t memory_size = 0x2'0000;

// Bits of registers, in the order of chapter 13.
namespace ctrl {
enum : std::uint32_t {
  fd = 1u << 0,
  slu = 1u << 6,
  speed_1000 = 2u << 8,
  rst = 1u << 26,
  vme = 1u << 30,
  phy_rst = 1u << 31,
};
}
namespace status {
enum : std::uint32_t { fd = 1u << 0, lu = 1u << 1, speed_1000 = 2u << 6, asdv_1000 = 2u << 8 };
}
namespace ctrl_ext {
enum : std::uint32_t { ee_rst = 1u << 13 };
}
namespace cause {  // ICR, ICS, IMS, IMC (13.4.17 to 13.4.21)
enum : std::uint32_t {
  txdw = 1u << 0,
  txqe = 1u << 1,
  lsc = 1u << 2,
  rxdmt0 = 1u << 4,
  rxo = 1u << 6,
  rxt0 = 1u << 7,
  mdac = 1u << 9,
  txd_low = 1u << 15,
  srpd = 1u << 16,
  all = 0x0001'f6df,
};
}
namespace rctl {
enum : std::uint32_t {
  en = 1u << 1,
  sbp = 1u << 2,
  upe = 1u << 3,
  mpe = 1u << 4,
  lpe = 1u << 5,
  lbm = 3u << 6,
  rdmts_shift = 8,
  mo_shift = 12,
  bam = 1u << 15,
  bsize_shift = 16,
  vfe = 1u << 18,
  cfien = 1u << 19,
  cfi = 1u << 20,
  bsex = 1u << 25,
  secrc = 1u << 26,
};
}
namespace tctl {
enum : std::uint32_t { en = 1u << 1, psp = 1u << 3 };
}
namespace rxcsum {
enum : std::uint32_t { pcss = 0xff, ipofld = 1u << 8, tuofld = 1u << 9 };
}
namespace rah {
enum : std::uint32_t { av = 1u << 31 };
}

/// "TDT", "RAL0", "MTA[5]", a statistics register's name; "+0x5" where the manual has none.
[[nodiscard]] std::string register_name(std::uint64_t offset);

}  // namespace kvmbench::e1000
