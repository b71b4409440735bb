#include "devices/bus.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "devices/debug_console.hpp"

using namespace kvmbench;

namespace {

struct Fixture {
  NullSink sink;
  DebugConsole first{"first", sink};
  DebugConsole second{"second", sink};
  PortBus ports;
  MmioBus mmio;
};

bool is(const BusTarget& target, const Device& device, std::uint64_t offset) {
  return target.device == &device && target.offset == offset;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a port leads to its device and the offset in its region", "[bus]") {
  ports.attach(0x3f8, 8, first);
  ports.attach(0xffff, 1, second, 4);
  CHECK(is(ports.find(0x3f8), first, 0));
  CHECK(is(ports.find(0x3ff), first, 7));
  CHECK(is(ports.find(0xffff), second, 4));
  CHECK(ports.find(0x3f7).device == nullptr);
  CHECK(ports.find(0x400).device == nullptr);
}

TEST_CASE_METHOD(Fixture, "a device may have several port regions, told apart by their offset", "[bus]") {
  ports.attach(0x60, 1, first);
  ports.attach(0x64, 1, first, 4);
  ports.attach(0x61, 1, second);
  CHECK(is(ports.find(0x60), first, 0));
  CHECK(is(ports.find(0x64), first, 4));
  CHECK(is(ports.find(0x61), second, 0));
}

TEST_CASE_METHOD(Fixture, "the devices of both buses are listed once each", "[bus]") {
  ports.attach(0x60, 1, first);
  ports.attach(0x64, 1, first, 4);
  mmio.attach(0xf000, 8, second);
  mmio.attach(0x1000, 8, first);
  std::vector<const Device*> devices;
  ports.list(devices);
  CHECK(devices == std::vector<const Device*>{&first});
  mmio.list(devices);
  CHECK(devices == std::vector<const Device*>{&first, &second});
}

TEST_CASE_METHOD(Fixture, "a port that is taken, or is none, cannot be attached", "[bus]") {
  ports.attach(0x3f8, 8, first);
  CHECK_THROWS_AS(ports.attach(0x3ff, 2, second), std::logic_error);
  CHECK_THROWS_AS(ports.attach(0x3f0, 9, second), std::logic_error);
  CHECK_THROWS_AS(ports.attach(0xffff, 2, second), std::logic_error);
  CHECK_THROWS_AS(ports.attach(0x10, 0, second), std::logic_error);
  ports.attach(0x3f0, 8, second);
  CHECK(is(ports.find(0x3f7), second, 7));
}

TEST_CASE_METHOD(Fixture, "an address leads to its device and the offset in its region", "[bus]") {
  mmio.attach(0xfec00000, 0x1000, first);
  mmio.attach(0xd0000000, 0x200, second, 0x10);
  for (int again = 0; again < 2; ++again) {  // the last hit first, and after another hit
    CHECK(is(mmio.find(0xfec00000), first, 0));
    CHECK(is(mmio.find(0xfec00fff), first, 0xfff));
    CHECK(is(mmio.find(0xd00001ff), second, 0x20f));
    CHECK(mmio.find(0xfec01000).device == nullptr);
    CHECK(mmio.find(0xd0000200).device == nullptr);
    CHECK(mmio.find(0xcfffffff).device == nullptr);
    CHECK(mmio.find(0).device == nullptr);
    CHECK(mmio.find(~std::uint64_t{0}).device == nullptr);
  }
}

TEST_CASE_METHOD(Fixture, "regions of memory cannot overlap or wrap around", "[bus]") {
  mmio.attach(0x1000, 0x1000, first);
  CHECK_THROWS_AS(mmio.attach(0x1fff, 1, second), std::logic_error);
  CHECK_THROWS_AS(mmio.attach(0x800, 0x801, second), std::logic_error);
  CHECK_THROWS_AS(mmio.attach(0x800, 0x3000, second), std::logic_error);
  CHECK_THROWS_AS(mmio.attach(0x3000, 0, second), std::logic_error);
  CHECK_THROWS_AS(mmio.attach(~std::uint64_t{0} - 1, 4, second), std::logic_error);
  mmio.attach(0x2000, 1, second);
  mmio.attach(0xfff, 1, second);
  CHECK(is(mmio.find(0x1000), first, 0));
}
