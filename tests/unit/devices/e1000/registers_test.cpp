// Expected values: Intel 317453, chapters 4, 5, 8, 13 and 14.
#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::e1000;
using namespace kvmbench::e1000::test;

TEST_CASE_METHOD(Fixture, "the card is an 82540EM with 128 KiB of registers and 8 ports", "[e1000]") {
  PciDevice& pci = card.pci();
  CHECK(pci.read_config(0x00) == 0x100e8086);
  CHECK(pci.read_config(0x08) >> 8 == 0x020000);
  CHECK(pci.read_config(0x2c) == 0x001e8086);
  CHECK(pci.read_config(0x3c) >> 8 == 1);
  pci.write_config(0x10, 0xffffffff, 0xffffffff);
  CHECK(pci.read_config(0x10) == 0xfffe0000);
  CHECK(pci.read_config(0x14) == 0);
  pci.write_config(0x18, 0xffffffff, 0xffffffff);
  CHECK(pci.read_config(0x18) == 0xfffffff9);
}

TEST_CASE_METHOD(Fixture, "after reset the registers have their initial values", "[e1000]") {
  CHECK(get(reg::status) == 0x00000283);  // full duplex, link, 1000 Mb/s
  CHECK(get(reg::pba) == 0x00100030);
  CHECK(get(reg::ral0) == 0x12005452);
  CHECK(get(reg::ral0 + 4) == 0x80005634);
  CHECK(get(reg::ims) == 0);
  CHECK(get(reg::rctl) == 0);
  CHECK(get(reg::tctl) == 0);
  CHECK((get(reg::ctrl) & 0x40) != 0);
}

TEST_CASE_METHOD(Fixture, "registers keep what is written to the bits that they have", "[e1000]") {
  set(reg::rdbal, 0xffffffff);
  CHECK(get(reg::rdbal) == 0xfffffff0);
  set(reg::tdlen, 0xffffffff);
  CHECK(get(reg::tdlen) == 0x000fff80);
  set(reg::mta + 4 * 127, 0x12345678);
  CHECK(get(reg::mta + 4 * 127) == 0x12345678);
  set(reg::vfta, 0xffffffff);
  CHECK(get(reg::vfta) == 0xffffffff);
  const std::uint32_t before = get(reg::status);
  set(reg::status, 0);
  CHECK(get(reg::status) == before);
  set(0x0004, 0xffffffff);  // reserved
  CHECK(get(0x0004) == 0);
  set(0x1fffc, 0xffffffff);
  CHECK(get(0x1fffc) == 0);
}

TEST_CASE_METHOD(Fixture, "a narrow read gives its part of a register; a narrow write is dropped",
                 "[e1000]") {
  set(reg::tdbah, 0x44332211);
  CHECK(card.read(reg::tdbah, 1) == 0x11);
  CHECK(card.read(reg::tdbah + 1, 2) == 0x3322);
  CHECK(card.read(reg::tdbah + 3, 1) == 0x44);
  set(reg::tdbal, 0x88776650);
  CHECK(card.read(reg::tdbal, 8) == 0x4433221188776650);
  CHECK(card.read(reg::tdbal + 3, 2) == 0x1188);
  card.write(reg::tdbah, 1, 0);
  card.write(reg::tdbah, 2, 0);
  card.write(reg::tdbah + 1, 4, 0);
  card.write(reg::tdbah + 2, 2, 0);
  CHECK(get(reg::tdbah) == 0x44332211);
  card.write(reg::tdbal, 8, 0xaabbccdd'11223340);
  CHECK(get(reg::tdbal) == 0x11223340);
  CHECK(get(reg::tdbah) == 0xaabbccdd);
}

TEST_CASE_METHOD(Fixture, "past its registers the card reads as ones and takes nothing", "[e1000]") {
  for (unsigned width = 1; width <= 8; ++width) {
    CHECK(card.read(0x20000, width) == all_ones(width));
    CHECK(card.read(Card::io_registers + 8, width) == all_ones(width));
    card.write(0x20000, width, 0);
    card.write(Card::io_registers + 8, width, 0);
  }
  CHECK(card.read(0x1fffe, 4) == 0xffff0000);
  CHECK(card.read(~std::uint64_t{0}, 8) == all_ones(8));
  card.write(0x1fffc, 8, ~std::uint64_t{0});
}

TEST_CASE_METHOD(Fixture, "IOADDR and IODATA reach every register", "[e1000]") {
  const std::uint64_t io = Card::io_registers;
  card.write(io, 4, reg::tdbah);
  card.write(io + 4, 4, 0x12345678);
  CHECK(get(reg::tdbah) == 0x12345678);
  CHECK(card.read(io + 4, 4) == 0x12345678);
  CHECK(card.read(io + 4, 1) == 0x78);
  CHECK(card.read(io, 8) == (0x12345678ull << 32 | reg::tdbah));
  card.write(io, 4, 0xffffffff);
  CHECK(card.read(io, 4) == 0x000fffff);  // bits 31 to 20 are 0
  CHECK(card.read(io + 4, 4) == 0);
  card.write(io, 2, 0);  // narrower writes are ignored (13.2.2.1)
  CHECK(card.read(io, 4) == 0x000fffff);
  card.write(io, 4, reg::ctrl);
  card.write(io + 4, 4, ctrl_rst);
  CHECK(get(reg::tdbah) == 0);
}

TEST_CASE_METHOD(Fixture, "reports name registers as the manual does", "[e1000]") {
  const auto name = [this](std::uint64_t offset) { return card.register_name(offset, Direction::write); };
  CHECK(card.name() == "e1000.0");
  CHECK(name(0x3818) == "TDT");
  CHECK(name(0x3819) == "TDT");
  CHECK(name(0x00c0) == "ICR");
  CHECK(name(0x4074) == "GPRC");
  CHECK(name(0x4084) == "+0x4084");
  CHECK(name(0x5200) == "MTA[0]");
  CHECK(name(0x53fc) == "MTA[127]");
  CHECK(name(0x5400) == "RAL0");
  CHECK(name(0x547c) == "RAH15");
  CHECK(name(0x0004) == "+0x4");
  CHECK(name(0x1ffff) == "+0x1ffff");
  CHECK(name(Card::io_registers) == "IOADDR");
  CHECK(name(Card::io_registers + 7) == "IODATA");
}

TEST_CASE_METHOD(Fixture, "CTRL.RST brings everything back but the PCI configuration", "[e1000]") {
  set_up_receive();
  set(reg::ims, 0xffffffff);
  set(reg::ics, icr_rxt0);
  set(reg::ral0, 0);
  set(reg::itr, 100);
  CHECK(line.level);
  set(reg::ctrl, ctrl_rst);
  CHECK_FALSE(line.level);
  CHECK((get(reg::ctrl) & ctrl_rst) == 0);
  CHECK(get(reg::ims) == 0);
  CHECK(get(reg::icr) == 0);
  CHECK(get(reg::itr) == 0);
  CHECK(get(reg::rctl) == 0);
  CHECK(get(reg::rdt) == 0);
  CHECK(get(reg::ral0) == 0x12005452);
  CHECK(card.pci().bus_master());
}

TEST_CASE_METHOD(Fixture, "EERD reads words of the EEPROM, which sum up to 0xBABA", "[e1000]") {
  unsigned sum = 0;
  std::array<std::uint16_t, 64> words{};
  for (std::uint32_t i = 0; i < 64; ++i) {
    set(reg::eerd, i << 8 | 1);
    const std::uint32_t value = get(reg::eerd);
    CHECK((value & 0x10) != 0);  // done
    words[i] = static_cast<std::uint16_t>(value >> 16);
    sum += words[i];
  }
  CHECK((sum & 0xffff) == 0xbaba);
  CHECK(words[0] == 0x5452);
  CHECK(words[1] == 0x1200);
  CHECK(words[2] == 0x5634);
  CHECK(words[0x0a] >> 14 == 1);  // signature
  CHECK(words[0x0d] == 0x100e);
  CHECK(words[0x0e] == 0x8086);
  set(reg::eerd, 64 << 8 | 1);
  CHECK(get(reg::eerd) >> 16 == 0xffff);
}

namespace {

enum : std::uint32_t { sk = 1, cs = 2, di = 4, data_out = 8, request = 0x40, grant = 0x80, present = 0x100 };

/// The Microwire bus, as a driver moves its pins by EECD.
struct Microwire {
  Fixture& card;

  void clock(bool bit) {
    const std::uint32_t in = bit ? std::uint32_t{di} : 0;
    card.set(reg::eecd, request | cs | in);
    card.set(reg::eecd, request | cs | in | sk);
  }
  void end_clock() { card.set(reg::eecd, request | cs); }
  bool out() { return (card.get(reg::eecd) & data_out) != 0; }
  void command(unsigned bits, unsigned count) {
    for (unsigned i = count; i-- > 0;) clock((bits >> i & 1) != 0);
    end_clock();
  }
  unsigned word() {
    unsigned value = 0;
    for (unsigned i = 0; i < 16; ++i) {
      clock(false);
      value = value << 1 | (out() ? 1 : 0);
      end_clock();
    }
    return value;
  }
  void select() { card.set(reg::eecd, request | cs); }
  void deselect() { card.set(reg::eecd, request); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "EECD clocks words out of the EEPROM bit by bit", "[e1000]") {
  CHECK((get(reg::eecd) & grant) == 0);
  set(reg::eecd, request);
  CHECK((get(reg::eecd) & (grant | present)) == (grant | present));
  Microwire bus{*this};
  bus.select();
  bus.command(0b110'000001, 9);
  CHECK_FALSE(bus.out());  // the dummy bit
  CHECK(bus.word() == 0x1200);
  CHECK(bus.word() == 0x5634);  // the next word follows
  bus.deselect();
  bus.select();
  bus.command(0b000'110'111111, 12);  // zeros before the start bit do not count
  const unsigned checksum = bus.word();
  bus.deselect();
  set(reg::eerd, 63 << 8 | 1);
  CHECK(checksum == get(reg::eerd) >> 16);
}

TEST_CASE_METHOD(Fixture, "the EEPROM takes no other instruction than READ", "[e1000]") {
  Microwire bus{*this};
  bus.select();
  bus.command(0b100'110000, 9);  // EWEN
  bus.deselect();
  bus.select();
  bus.command(0b101'000000, 9);  // WRITE to word 0
  bus.command(0xdead, 16);
  bus.deselect();
  bus.select();
  CHECK(bus.out());  // ready
  bus.deselect();
  set(reg::eerd, 1);
  CHECK(get(reg::eerd) >> 16 == 0x5452);
}

TEST_CASE_METHOD(Fixture, "without CS the EEPROM sees no clock", "[e1000]") {
  Microwire bus{*this};
  bus.select();
  bus.command(0b110, 3);
  bus.deselect();
  for (int i = 0; i < 20; ++i) {
    set(reg::eecd, request | di);
    set(reg::eecd, request | di | sk);
  }
  bus.select();
  bus.command(0b110'000000, 9);
  CHECK(bus.word() == 0x5452);
}

namespace {

std::uint32_t mdic_read(unsigned phy, unsigned number) {
  return 2u << 26 | phy << 21 | number << 16;
}
std::uint32_t mdic_write(unsigned phy, unsigned number, std::uint32_t value) {
  return 1u << 26 | phy << 21 | number << 16 | value;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "MDIC reaches the PHY at address 1, an 88E1011", "[e1000]") {
  set(reg::mdic, mdic_read(1, 2));
  CHECK((get(reg::mdic) & 0x1000ffff) == 0x10000141);  // ready
  set(reg::mdic, mdic_read(1, 3));
  CHECK((get(reg::mdic) & 0xfff0) == 0x0c20);
  set(reg::mdic, mdic_read(0, 2));
  CHECK((get(reg::mdic) & 0x50000000) == 0x50000000);  // error, ready
  set(reg::mdic, mdic_write(1, 4, 0x0de1));
  set(reg::mdic, mdic_read(1, 4));
  CHECK((get(reg::mdic) & 0x5000ffff) == 0x10000de1);
  set(reg::mdic, mdic_write(1, 2, 0));  // an ID is read-only
  set(reg::mdic, mdic_read(1, 2));
  CHECK((get(reg::mdic) & 0xffff) == 0x0141);
}

TEST_CASE_METHOD(Fixture, "an MDIC access can end with an interrupt", "[e1000]") {
  set(reg::mdic, mdic_read(1, 1));
  CHECK(get(reg::icr) == 0);
  set(reg::mdic, mdic_read(1, 1) | 1u << 29);
  CHECK(get(reg::icr) == icr_mdac);
}

TEST_CASE_METHOD(Fixture, "the PHY's status latches a lost link until it is read", "[e1000]") {
  const auto phy_status = [this] {
    set(reg::mdic, mdic_read(1, 1));
    return get(reg::mdic) & 0xffff;
  };
  static_cast<void>(phy_status());
  CHECK((phy_status() & 0x24) == 0x24);  // link, negotiation complete
  network.up = false;
  card.link_changed();
  CHECK((phy_status() & 0x04) == 0);
  network.up = true;
  card.link_changed();
  CHECK((phy_status() & 0x04) == 0);
  CHECK((phy_status() & 0x04) != 0);
}

TEST_CASE_METHOD(Fixture, "the link is the cable's, with SLU set and the PHY on", "[e1000]") {
  set(reg::ims, icr_lsc);
  network.up = false;
  card.link_changed();
  CHECK((get(reg::status) & 2) == 0);
  CHECK(line.level);
  CHECK(get(reg::icr) == icr_lsc);
  CHECK_FALSE(line.level);
  card.link_changed();
  CHECK(get(reg::icr) == 0);  // nothing has changed
  network.up = true;
  card.link_changed();
  CHECK(get(reg::icr) == icr_lsc);
  CHECK((get(reg::status) & 2) != 0);
  set(reg::ctrl, 0);
  CHECK((get(reg::status) & 2) == 0);
  set(reg::ctrl, ctrl_slu);
  CHECK((get(reg::status) & 2) != 0);
  set(reg::mdic, mdic_write(1, 0, 0x1940));  // power down
  CHECK((get(reg::status) & 2) == 0);
  set(reg::mdic, mdic_write(1, 0, 0x1140));
  CHECK((get(reg::status) & 2) != 0);
  set(reg::mdic, mdic_write(1, 0, 0x1940));
  set(reg::mdic, mdic_write(1, 0, 0x9140));  // reset
  CHECK((get(reg::status) & 2) != 0);
}

TEST_CASE_METHOD(Fixture, "a card without a cable is without a link from the beginning", "[e1000]") {
  UnconnectedNetwork none;
  Card unconnected("e1000.1", station, memory, none, alarm, clock);
  CHECK((unconnected.read(reg::status, 4) & 2) == 0);
}
