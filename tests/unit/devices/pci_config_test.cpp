#include "devices/pci_config.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

namespace {

constexpr unsigned address = 0, data = 4;

/// 64 dwords of memory, and how it was last written.
struct MemoryFunction final : PciFunction {
  std::uint32_t read_config(unsigned offset) noexcept override { return dwords.at(offset / 4); }
  void write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept override {
    dwords.at(offset / 4) = (dwords.at(offset / 4) & ~mask) | (value & mask);
    last_mask = mask;
  }
  std::array<std::uint32_t, 64> dwords{};
  std::uint32_t last_mask = 0;
};

std::uint32_t select(unsigned bus, unsigned device, unsigned function, unsigned offset) {
  return 0x80000000 | bus << 16 | device << 11 | function << 8 | offset;
}

}  // namespace

TEST_CASE("00:00.0 is a 440FX host bridge", "[pci]") {
  PciConfig pci;
  pci.write(address, 4, select(0, 0, 0, 0x00));
  CHECK(pci.read(data, 4) == 0x12378086);
  pci.write(address, 4, select(0, 0, 0, 0x08));
  CHECK(pci.read(data, 4) >> 16 == 0x0600);
  pci.write(address, 4, select(0, 0, 0, 0x0c));
  CHECK(pci.read(data, 4) == 0);  // header type 0, one function
  pci.write(address, 4, select(0, 0, 0, 0x04));
  pci.write(data, 4, 0xffffffff);
  CHECK(pci.read(data, 4) == 0x02800006);
  pci.write(address, 4, select(0, 0, 0, 0x10));
  pci.write(data, 4, 0xffffffff);
  CHECK(pci.read(data, 4) == 0);  // no base address
}

TEST_CASE("every other function of every bus is absent: all ones", "[pci]") {
  PciConfig pci;
  for (const unsigned bus : {0u, 1u, 255u}) {
    for (unsigned device = 0; device < 32; ++device) {
      for (unsigned function = 0; function < 8; ++function) {
        if (bus == 0 && device == 0 && function == 0) continue;
        pci.write(address, 4, select(bus, device, function, 0));
        CHECK(pci.read(data, 4) == 0xffffffff);
        pci.write(data, 4, 0);
      }
    }
  }
}

TEST_CASE("CONFIG_ADDRESS reads back without its reserved bits", "[pci]") {
  PciConfig pci;
  pci.write(address, 4, 0xffffffff);
  CHECK(pci.read(address, 4) == 0x80fffffc);
  pci.write(address, 4, 0x80000000);
  CHECK(pci.read(address, 4) == 0x80000000);
}

TEST_CASE("only a 32-bit access at 0xcf8 is one to CONFIG_ADDRESS", "[pci]") {
  PciConfig pci;
  pci.write(address, 4, 0x80000000);
  for (unsigned offset = 0; offset < 4; ++offset) {
    for (unsigned width = 1; width <= 8; ++width) {
      if (offset == 0 && width == 4) continue;
      INFO("offset " << offset << " width " << width);
      pci.write(offset, width, 0x0102030405060708);
      CHECK(pci.read(offset, width) == all_ones(width));
      CHECK(pci.read(address, 4) == 0x80000000);
    }
  }
}

TEST_CASE("without the enable bit CONFIG_DATA reaches nothing", "[pci]") {
  PciConfig pci;
  pci.write(address, 4, 0);
  CHECK(pci.read(data, 4) == 0xffffffff);
}

TEST_CASE("bytes and words of CONFIG_DATA are those of the dword", "[pci]") {
  PciConfig pci;
  MemoryFunction function;
  pci.attach(3, 1, function);
  function.dwords[0x40 / 4] = 0x44332211;
  pci.write(address, 4, select(0, 3, 1, 0x40));
  CHECK(pci.read(data, 4) == 0x44332211);
  CHECK(pci.read(data, 2) == 0x2211);
  CHECK(pci.read(data + 1, 2) == 0x3322);
  CHECK(pci.read(data + 2, 2) == 0x4433);
  for (unsigned i = 0; i < 4; ++i) CHECK(pci.read(data + i, 1) == 0x11u * (i + 1));
  CHECK(pci.read(data + 2, 4) == 0xffff4433);
  CHECK(pci.read(data, 8) == 0xffffffff44332211);

  pci.write(data + 1, 1, 0xaa);
  CHECK(function.last_mask == 0x0000ff00);
  CHECK(function.dwords[0x40 / 4] == 0x4433aa11);
  pci.write(data + 2, 2, 0xbbcc);
  CHECK(function.last_mask == 0xffff0000);
  CHECK(function.dwords[0x40 / 4] == 0xbbccaa11);
  pci.write(data + 3, 4, 0xffffffdd);
  CHECK(function.dwords[0x40 / 4] == 0xddccaa11);
  pci.write(data, 4, 0);
  CHECK(function.dwords[0x40 / 4] == 0);
}

TEST_CASE("the highest register number is 0xfc", "[pci]") {
  PciConfig pci;
  MemoryFunction function;
  pci.attach(31, 7, function);
  function.dwords[63] = 0x1234;
  pci.write(address, 4, select(0, 31, 7, 0xff));
  CHECK(pci.read(data, 4) == 0x1234);
}

TEST_CASE("a place takes one function, and must be one", "[pci]") {
  PciConfig pci;
  MemoryFunction function;
  CHECK_THROWS_AS(pci.attach(0, 0, function), std::logic_error);
  CHECK_THROWS_AS(pci.attach(32, 0, function), std::logic_error);
  CHECK_THROWS_AS(pci.attach(1, 8, function), std::logic_error);
  pci.attach(1, 0, function);
  CHECK_THROWS_AS(pci.attach(1, 0, function), std::logic_error);
}

TEST_CASE("Linux finds mechanism 1", "[pci]") {
  PciConfig pci;
  pci.write(3, 1, 0x01);  // 0xcfb
  const std::uint64_t before = pci.read(address, 4);
  pci.write(address, 4, 0x80000000);
  CHECK(pci.read(address, 4) == 0x80000000);
  pci.write(address, 4, before);
}

TEST_CASE("past CONFIG_DATA everything reads as ones and writes are dropped", "[pci]") {
  PciConfig pci;
  pci.write(address, 4, select(0, 0, 0, 0));
  CHECK(reads_ones_past(pci, PciConfig::size));
  write_past(pci, PciConfig::size, 0);
  CHECK(pci.read(address, 4) == 0x80000000);
  CHECK(pci.name() == "pci");
  CHECK(pci.register_name(0, Direction::write) == "CONFIG_ADDRESS");
  CHECK(pci.register_name(1, Direction::write) == "+0x1");
  CHECK(pci.register_name(4, Direction::read) == "CONFIG_DATA");
  CHECK(pci.register_name(7, Direction::read) == "CONFIG_DATA");
  CHECK(pci.register_name(8, Direction::read) == "+0x8");
}
