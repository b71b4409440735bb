// Expected values: PCI Local Bus Specification 3.0, chapter 6.
#include "devices/pci_device.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "devices/debug_console.hpp"
#include "devices/pci_config.hpp"
#include "devices/pci_firmware.hpp"
#include "devices/pci_routing.hpp"
#include "devices/shared_line.hpp"
#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

namespace {

constexpr std::uint32_t ones = 0xffffffff;
constexpr unsigned command = 0x04, bar0 = 0x10, bar2 = 0x18, interrupt_registers = 0x3c;
constexpr std::uint32_t io_space = 1, memory_space = 2, bus_master = 4, interrupt_disable = 0x400;
constexpr std::uint32_t interrupt_status = 1u << 19;

constexpr PciIdentity identity{.vendor = 0x8086,
                               .device = 0x100e,
                               .class_code = 0x020000,
                               .revision = 3,
                               .subsystem_vendor = 0x1af4,
                               .subsystem = 0x1100};

/// A function with 128 KiB of memory and 64 ports.
struct Fixture {
  Fixture() {
    function.add_memory_bar(0, memory);
    function.add_io_bar(2, io);
    function.connect(1, line);
  }
  void set(unsigned offset, std::uint32_t value) { function.write_config(offset, value, ones); }
  std::uint32_t get(unsigned offset) { return function.read_config(offset); }

  NullSink sink;
  DebugConsole registers{"registers", sink};
  PortBus ports;
  MmioBus mmio;
  BusWindow& memory{mmio.add_window(0x20000, registers)};
  BusWindow& io{ports.add_window(64, registers, 0x100)};
  RecordingLine line;
  PciDevice function{identity};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a PCI header says what the function is", "[pci]") {
  CHECK(get(0x00) == 0x100e8086);
  CHECK(get(0x08) == 0x02000003);
  CHECK(get(0x0c) == 0);  // type 0, one function
  CHECK(get(0x2c) == 0x11001af4);
  CHECK(get(0x34) == 0);                  // no capabilities ...
  CHECK((get(command) & 1u << 20) == 0);  // ... and Status says so
  CHECK(get(0x3c) == 0x0100);             // INTA#
  for (const unsigned offset : {0x14u, 0x1cu, 0x20u, 0x24u, 0x28u, 0x30u, 0x38u, 0x40u, 0xfcu}) {
    set(offset, ones);
    CHECK(get(offset) == 0);
  }
  set(0x00, 0);
  set(0x08, 0);
  set(0x2c, 0);
  CHECK(get(0x00) == 0x100e8086);
  CHECK(get(0x08) == 0x02000003);
  CHECK(get(0x2c) == 0x11001af4);
}

TEST_CASE("a function of several says so in its header type", "[pci]") {
  PciDevice function({.vendor = 1, .device = 2, .class_code = 3, .multifunction = true});
  CHECK(function.read_config(0x0c) == 0x00800000);
  CHECK(function.read_config(0x3c) == 0);  // no pin
  function.write_config(command, ones, ones);
  CHECK((function.read_config(command) & 0xffff) == 0x0104);  // no space to decode, no interrupt
}

TEST_CASE_METHOD(Fixture, "a base address register tells its size when ones are written", "[pci]") {
  set(bar0, ones);
  CHECK(get(bar0) == 0xfffe0000);
  set(bar2, ones);
  CHECK(get(bar2) == 0xffffffc1);
  set(bar0, 0xc0012345);
  CHECK(get(bar0) == 0xc0000000);
  set(bar2, 0xc07f);
  CHECK(get(bar2) == 0xc041);
  function.write_config(bar0, 0xd0d0d0d0, 0xff000000);  // a byte write
  CHECK(get(bar0) == 0xd0000000);
}

TEST_CASE_METHOD(Fixture, "what a base address register names is decoded while its space is enabled",
                 "[pci]") {
  set(bar0, 0xc0000000);
  set(bar2, 0xc000);
  CHECK(mmio.find(0xc0000000).device == nullptr);
  CHECK(ports.find(0xc000).device == nullptr);
  set(command, memory_space);
  CHECK(mmio.find(0xc0000000).device == &registers);
  CHECK(mmio.find(0xc001ffff).offset == 0x1ffff);
  CHECK(mmio.find(0xc0020000).device == nullptr);
  CHECK(mmio.find(0xbfffffff).device == nullptr);
  CHECK(ports.find(0xc000).device == nullptr);
  set(command, io_space);
  CHECK(mmio.find(0xc0000000).device == nullptr);
  CHECK(ports.find(0xc000).offset == 0x100);
  CHECK(ports.find(0xc03f).offset == 0x13f);
  CHECK(ports.find(0xc040).device == nullptr);
  set(command, 0);
  CHECK(ports.find(0xc000).device == nullptr);
}

TEST_CASE_METHOD(Fixture, "the buses follow a base address register that moves", "[pci]") {
  set(command, memory_space | io_space);
  set(bar0, 0xc0000000);
  set(bar2, 0xc000);
  set(bar0, 0xc0020000);
  set(bar2, 0xd000);
  CHECK(mmio.find(0xc0000000).device == nullptr);
  CHECK(mmio.find(0xc0020004).offset == 4);
  CHECK(ports.find(0xc000).device == nullptr);
  CHECK(ports.find(0xd001).offset == 0x101);
  set(bar2, 0x1d000);  // no such port
  for (std::uint32_t port = 0; port < 0x10000; ++port) {
    REQUIRE(ports.find(static_cast<std::uint16_t>(port)).device == nullptr);
  }
  set(bar0, 0);
  CHECK(mmio.find(0).offset == 0);
  set(bar0, ones);
  CHECK(mmio.find(0xffffffff).offset == 0x1ffff);
  CHECK(mmio.find(~std::uint64_t{0}).device == nullptr);
}

TEST_CASE_METHOD(Fixture, "devices at fixed places answer before a window that is moved over them", "[pci]") {
  DebugConsole fixed("fixed", sink);
  mmio.attach(0xfec00000, 0x1000, fixed);
  ports.attach(0x3f8, 8, fixed);
  set(command, memory_space | io_space);
  set(bar0, 0xfec00000);
  set(bar2, 0x3c0);
  CHECK(mmio.find(0xfec00000).device == &fixed);
  CHECK(mmio.find(0xfec00fff).device == &fixed);
  CHECK(mmio.find(0xfec01000).device == &registers);
  CHECK(ports.find(0x3f8).device == &fixed);
  CHECK(ports.find(0x3f7).device == &registers);
}

TEST_CASE_METHOD(Fixture, "of two windows at one place the first added answers", "[pci]") {
  DebugConsole other("other", sink);
  BusWindow& second = mmio.add_window(0x1000, other);
  second.place(0xc0000000);
  CHECK(mmio.find(0xc0000000).device == &other);
  set(command, memory_space);
  set(bar0, 0xc0000000);
  CHECK(mmio.find(0xc0000000).device == &registers);
  set(command, 0);
  CHECK(mmio.find(0xc0000000).device == &other);
}

TEST_CASE_METHOD(Fixture, "reports still know whose a window was that the guest has removed", "[pci]") {
  CHECK(mmio.find_last(0).device == nullptr);
  CHECK(mmio.find_last(~std::uint64_t{0}).device == nullptr);
  set(bar0, 0xc0000000);
  set(bar2, 0xc000);
  set(command, memory_space | io_space);
  set(command, 0);
  CHECK(mmio.find_last(0xc0000008).offset == 8);
  CHECK(ports.find_last(0xc004).offset == 0x104);
  DebugConsole fixed("fixed", sink);
  ports.attach(0xc004, 1, fixed);
  CHECK(ports.find_last(0xc004).device == &fixed);
}

TEST_CASE_METHOD(Fixture, "a window's length is a power of two", "[pci]") {
  CHECK_THROWS_AS(mmio.add_window(0, registers), std::logic_error);
  CHECK_THROWS_AS(mmio.add_window(1, registers), std::logic_error);
  CHECK_THROWS_AS(mmio.add_window(24, registers), std::logic_error);
  PciDevice other(identity);
  CHECK_THROWS_AS(other.add_memory_bar(6, memory), std::logic_error);
  CHECK_THROWS_AS(other.add_memory_bar(0, mmio.add_window(8, registers)), std::logic_error);
  CHECK_THROWS_AS(other.add_io_bar(0, ports.add_window(512, registers)), std::logic_error);
  CHECK_THROWS_AS(function.add_io_bar(0, io), std::logic_error);
}

TEST_CASE_METHOD(Fixture, "only the Command bits that mean something can be set", "[pci]") {
  set(command, ones);
  CHECK((get(command) & 0xffff) == (io_space | memory_space | bus_master | 0x100 | interrupt_disable));
  CHECK(function.bus_master());
  function.write_config(command, 0, 0x00ff);
  CHECK((get(command) & 0xffff) == (0x100 | interrupt_disable));
  CHECK_FALSE(function.bus_master());
}

TEST_CASE_METHOD(Fixture, "Interrupt Disable silences the pin; Interrupt Status shows it all the same",
                 "[pci]") {
  function.interrupt().set(true);
  CHECK(line.level);
  CHECK((get(command) & interrupt_status) != 0);
  set(command, interrupt_disable);
  CHECK_FALSE(line.level);
  CHECK((get(command) & interrupt_status) != 0);
  set(command, 0);
  CHECK(line.level);
  function.interrupt().set(false);
  CHECK_FALSE(line.level);
  CHECK((get(command) & interrupt_status) == 0);
}

TEST_CASE_METHOD(Fixture, "Interrupt Line, Latency Timer and Cache Line Size keep what is written", "[pci]") {
  set(interrupt_registers, ones);
  CHECK(get(interrupt_registers) == 0x01ff);
  set(0x0c, ones);
  CHECK(get(0x0c) == 0xffff);
  function.write_config(0x0c, 0, 0xff00);
  CHECK(get(0x0c) == 0x00ff);
}

TEST_CASE("a shared line is asserted while any of its devices asserts it", "[pci]") {
  RecordingLine line;
  SharedLine shared(line);
  InterruptLine& first = shared.add_source();
  InterruptLine& second = shared.add_source();
  first.set(true);
  first.set(true);
  second.set(true);
  CHECK(line.rises == 1);
  first.set(false);
  first.set(false);
  CHECK(line.level);
  second.set(false);
  CHECK_FALSE(line.level);
  second.set(true);
  CHECK(line.rises == 2);
}

TEST_CASE_METHOD(Fixture, "firmware gives each register a place, each pin an IRQ, and enables both spaces",
                 "[pci]") {
  PciDevice second(identity);
  second.add_io_bar(4, ports.add_window(16, registers));
  second.add_memory_bar(5, mmio.add_window(0x1000, registers));
  PciDevice third(identity);
  third.add_memory_bar(0, mmio.add_window(0x1000000, registers));
  third.connect(4, line);
  PciConfig pci;
  pci.attach(3, 0, function);
  pci.attach(4, 0, second);
  pci.attach(31, 0, third);
  set_up_pci(
      pci,
      {.memory_first = 0xc0000000, .memory_end = 0xd0000000, .ports_first = 0xc000, .ports_end = 0x10000});
  CHECK(get(bar0) == 0xc0000000);
  CHECK(get(bar2) == 0xc001);
  CHECK(second.read_config(0x20) == 0xc041);
  CHECK(second.read_config(0x24) == 0xc0020000);
  CHECK(third.read_config(bar0) == 0xc1000000);
  CHECK(mmio.find(0xc0000010).offset == 0x10);
  CHECK(ports.find(0xc001).offset == 0x101);
  CHECK((get(command) & 0xffff) == (io_space | memory_space));
  CHECK((get(interrupt_registers) & 0xff) == 6);                 // link (3 + 0) mod 4
  CHECK((second.read_config(interrupt_registers) & 0xff) == 0);  // no pin
  CHECK((third.read_config(interrupt_registers) & 0xff) == 5);   // link (31 + 3) mod 4
  CHECK(pci.read(PciConfig::config_address, 4) == 0);
}

TEST_CASE("firmware looks for functions 1 to 7 only where function 0 says there are some", "[pci]") {
  NullSink sink;
  DebugConsole registers("registers", sink);
  MmioBus mmio;
  for (const bool several : {false, true}) {
    PciDevice zero({.vendor = 1, .device = 1, .class_code = 0, .multifunction = several});
    PciDevice five({.vendor = 1, .device = 2, .class_code = 0});
    five.add_memory_bar(0, mmio.add_window(0x1000, registers));
    PciConfig pci;
    pci.attach(1, 0, zero);
    pci.attach(1, 5, five);
    set_up_pci(pci, {0xc0000000, 0xd0000000, 0xc000, 0x10000});
    CHECK(five.read_config(bar0) == (several ? 0xc0000000 : 0));
  }
}

TEST_CASE_METHOD(Fixture, "a machine whose devices need more than there is cannot be built", "[pci]") {
  PciConfig pci;
  pci.attach(3, 0, function);
  CHECK_THROWS_AS(set_up_pci(pci, {0xc0000000, 0xc0010000, 0xc000, 0x10000}), std::logic_error);
  CHECK_THROWS_AS(set_up_pci(pci, {0xc0000000, 0xd0000000, 0xffff, 0x10000}), std::logic_error);
}

TEST_CASE("the pins of neighbouring devices are on different links", "[pci]") {
  CHECK(pci_routing::link_of(0, 1) == 0);
  CHECK(pci_routing::link_of(3, 1) == 3);
  CHECK(pci_routing::link_of(3, 2) == 0);
  CHECK(pci_routing::link_of(4, 1) == 0);
}
