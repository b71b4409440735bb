#include "devices/piix3.hpp"

#include <catch2/catch.hpp>

using namespace kvmbench;

TEST_CASE("the PIIX3 is an ISA bridge and an IDE interface in legacy mode", "[piix3]") {
  Piix3IsaBridge bridge;
  CHECK(bridge.read_config(0x00) == 0x70008086);
  CHECK(bridge.read_config(0x08) >> 8 == 0x060100);
  CHECK((bridge.read_config(0x0c) >> 16 & 0xff) == 0x80);  // it has further functions
  Piix3Ide ide(true, true);
  CHECK(ide.read_config(0x00) == 0x70108086);
  CHECK(ide.read_config(0x08) >> 8 == 0x010180);
  CHECK((ide.read_config(0x0c) >> 16 & 0xff) == 0x00);
  CHECK((ide.read_config(0x3c) >> 8 & 0xff) == 0);  // no interrupt pin: IRQ 14 and 15
}

TEST_CASE("its IDE interface has no bus master registers", "[piix3]") {
  Piix3Ide ide(true, false);
  for (unsigned offset = 0x10; offset < 0x28; offset += 4) {
    ide.write_config(offset, 0xffffffff, 0xffffffff);
    CHECK(ide.read_config(offset) == 0);
  }
}

TEST_CASE("IDETIM enables the channels that have disks, and keeps the timings that are written", "[piix3]") {
  const auto [primary, secondary] =
      GENERATE(std::pair(true, false), std::pair(true, true), std::pair(false, true));
  Piix3Ide ide(primary, secondary);
  CHECK((ide.read_config(0x40) & 0x8000) == (primary ? 0x8000u : 0));
  CHECK((ide.read_config(0x40) >> 16 & 0x8000) == (secondary ? 0x8000u : 0));
  ide.write_config(0x40, 0xa307, 0xffff);
  CHECK((ide.read_config(0x40) & 0xffff) == 0xa307);
  CHECK((ide.read_config(0x40) >> 16) == (secondary ? 0x8000u : 0));
  ide.write_config(0x44, 0xffffffff, 0xffffffff);
  CHECK(ide.read_config(0x44) == 0xff);
  ide.write_config(0x04, 0x1, 0xffff);
  CHECK((ide.read_config(0x04) & 0x1) == 1);
}

TEST_CASE("its ISA bridge routes no interrupt, and takes what Linux writes to DLC", "[piix3]") {
  Piix3IsaBridge bridge;
  bridge.write_config(0x60, 0x0b0b0b0b, 0xffffffff);
  CHECK(bridge.read_config(0x60) == 0x80808080);
  bridge.write_config(0x80, 0x00020000, 0x00ff0000);
  CHECK(bridge.read_config(0x80) == 0x00020000);
}
