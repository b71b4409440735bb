// The registers of virtio over MMIO, version 2 (VIRTIO 1.2, 4.2.2).
#include "devices/virtio/mmio_transport.hpp"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

constexpr Gpa request = EchoMachine::data, answer = EchoMachine::data + 0x1000;
constexpr std::uint32_t all_ok = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                                 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK;

void serve_one(EchoMachine& machine) {
  machine.queue->add({readable_text(machine.memory, request, "x"), writable_room(answer, 1)});
  machine.driver.notify(0);
}

}  // namespace

TEST_CASE("the device says what it is", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  CHECK(machine.driver.read(VIRTIO_MMIO_MAGIC_VALUE) == 0x74726976);
  CHECK(machine.driver.read(VIRTIO_MMIO_VERSION) == 2);
  CHECK(machine.driver.read(VIRTIO_MMIO_DEVICE_ID) == 42);
  CHECK(machine.driver.read(VIRTIO_MMIO_VENDOR_ID) == MmioTransport::vendor_id);
  CHECK(machine.transport.name() == "virtio-echo0");
  CHECK(machine.transport.register_name(0x50, Direction::write) == "QueueNotify");
  CHECK(machine.transport.register_name(0x90, Direction::write) == "QueueDriverLow");
  CHECK(machine.transport.register_name(0x100, Direction::read) == "word");
  CHECK(machine.transport.register_name(0x104, Direction::read) == "+0x104");
  CHECK(machine.transport.register_name(0x54, Direction::read) == "+0x54");
}

TEST_CASE("features are offered by halves, and none beyond 64", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  CHECK(machine.driver.device_features() ==
        (EchoDevice::feature | indirect_desc | event_idx | std::uint64_t{1} << VIRTIO_F_VERSION_1 |
         std::uint64_t{1} << VIRTIO_F_RING_PACKED));
  machine.driver.write(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
  CHECK(machine.driver.read(VIRTIO_MMIO_DEVICE_FEATURES) == 0);
}

TEST_CASE("FEATURES_OK stays 0 for features that were not offered, or without VERSION_1", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  CHECK(machine.negotiated);
  CHECK(machine.driver.negotiate(EchoDevice::feature));
  CHECK_FALSE(machine.driver.negotiate(1 << 6));
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  machine.driver.write(VIRTIO_MMIO_STATUS, all_ok);
  CHECK(machine.driver.status() == (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER));
}

TEST_CASE("the device starts with the features that the driver took", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split, EchoDevice::feature | event_idx);
  CHECK(machine.device.started ==
        std::vector<std::uint64_t>{EchoDevice::feature | event_idx | std::uint64_t{1} << VIRTIO_F_VERSION_1});
  CHECK(machine.driver.status() == all_ok);
}

TEST_CASE("a driver's status bits stay until a reset", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  machine.driver.write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_FAILED);
  CHECK(machine.driver.status() == (all_ok | VIRTIO_CONFIG_S_FAILED));
  machine.driver.write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_NEEDS_RESET);  // the device's bit
  CHECK(machine.driver.status() == (all_ok | VIRTIO_CONFIG_S_FAILED));
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK(machine.driver.status() == 0);
  CHECK(machine.device.resets == 1);
}

TEST_CASE("what was made available before DRIVER_OK is served with it", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  REQUIRE(machine.driver.negotiate());
  DriverQueue& queue = machine.driver.set_up_queue(0, 8);
  queue.add({readable_text(machine.memory, request, "x"), writable_room(answer, 1)});
  machine.driver.notify(0);
  CHECK_FALSE(queue.take_used());
  machine.driver.driver_ok();
  CHECK(queue.take_used());
}

TEST_CASE("a queue is selected, sized and made ready", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_NUM_MAX) == 256);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == 1);
  machine.driver.write(VIRTIO_MMIO_QUEUE_SEL, 1);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_NUM_MAX) == 256);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == 0);
  for (const std::uint32_t absent : {2u, 0xffffu, 0xffff'ffffu}) {
    machine.driver.write(VIRTIO_MMIO_QUEUE_SEL, absent);
    CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_NUM_MAX) == 0);
    machine.driver.write(VIRTIO_MMIO_QUEUE_READY, 1);
    CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == 0);
  }
}

TEST_CASE("a queue that was made unready is served no more, until it is ready again", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  machine.driver.write(VIRTIO_MMIO_QUEUE_SEL, 0);
  machine.driver.write(VIRTIO_MMIO_QUEUE_READY, 0);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == 0);
  serve_one(machine);
  CHECK_FALSE(machine.queue->take_used());
  machine.queue = &machine.driver.set_up_queue(0, 8);
  serve_one(machine);
  CHECK(machine.queue->take_used());
}

TEST_CASE("nothing is taken from a queue before DRIVER_OK", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  REQUIRE(machine.driver.negotiate());
  machine.queue = &machine.driver.set_up_queue(0, 8);
  serve_one(machine);
  Chain chain;
  CHECK_FALSE(machine.device.queue(0).pop(chain));
}

TEST_CASE("a write to QueueNotify with an index past num-queues is ignored", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  const unsigned before = machine.doorbell.rings;
  for (const std::uint32_t absent : {2u, 0x1'0000u, 0xffff'ffffu}) machine.driver.notify(absent);
  CHECK(machine.doorbell.rings == before);
  machine.driver.notify(1);
  CHECK(machine.doorbell.rings == before + 1);
}

TEST_CASE("the line is high while InterruptStatus has bits", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  serve_one(machine);
  CHECK(machine.line.level);
  serve_one(machine);
  CHECK(machine.line.rises == 1);
  machine.driver.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);  // not its bit
  CHECK(machine.line.level);
  machine.driver.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
  CHECK_FALSE(machine.line.level);
  CHECK(machine.driver.read(VIRTIO_MMIO_INTERRUPT_STATUS) == 0);
}

TEST_CASE("a cause that is left after InterruptACK makes a new edge", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  serve_one(machine);
  machine.device.config_changed();
  CHECK(machine.line.rises == 1);
  CHECK(machine.driver.read(VIRTIO_MMIO_INTERRUPT_STATUS) == 3);
  machine.driver.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
  CHECK(machine.line.level);
  CHECK(machine.line.rises == 2);
  machine.driver.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
  CHECK_FALSE(machine.line.level);
}

TEST_CASE("configuration space is read and written with every width", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  machine.transport.write(0x100, 4, 0x44332211);
  machine.transport.write(0x104, 2, 0x6655);
  CHECK(machine.transport.read(0x100, 1) == 0x11);
  CHECK(machine.transport.read(0x101, 2) == 0x3322);
  CHECK(machine.transport.read(0x100, 4) == 0x44332211);
  CHECK(machine.transport.read(0x100, 8) == 0xffff665544332211);
  CHECK(machine.transport.read(0x106, 4) == 0xffffffff);
  CHECK(machine.transport.read(0xfff, 8) == ~std::uint64_t{0});
  machine.transport.write(0x105, 8, 0);
  CHECK(machine.transport.read(0x104, 2) == 0x0055);
}

TEST_CASE("a change of the configuration space is told, and counted in ConfigGeneration", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  const std::uint32_t before = machine.driver.read(VIRTIO_MMIO_CONFIG_GENERATION);
  machine.device.config_changed();
  CHECK(machine.driver.read(VIRTIO_MMIO_CONFIG_GENERATION) == before + 1);
  CHECK(machine.driver.read(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_CONFIG);
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK_FALSE(machine.line.level);
  machine.device.config_changed();  // nobody is there to be told
  CHECK_FALSE(machine.line.level);
}

TEST_CASE("a broken ring needs a reset, and the driver is told", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  machine.queue->add({{Gpa{8 << 20}, 1, false}});
  machine.driver.notify(0);
  CHECK(machine.driver.status() == (all_ok | VIRTIO_CONFIG_S_NEEDS_RESET));
  CHECK(machine.driver.read(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_CONFIG);
  CHECK(machine.line.level);
  CHECK(std::string(machine.transport.fault()) == "a buffer outside guest memory");
  serve_one(machine);
  CHECK_FALSE(machine.queue->take_used());

  REQUIRE(machine.driver.negotiate());
  machine.queue = &machine.driver.set_up_queue(0, 8);
  machine.driver.driver_ok();
  CHECK(machine.driver.status() == all_ok);
  serve_one(machine);
  CHECK(machine.queue->take_used());
}

TEST_CASE("a reset takes back what is in flight, and writes nothing to the ring any more", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  machine.device.hold = true;
  serve_one(machine);
  REQUIRE(machine.device.held.size() == 1);
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK(machine.device.held.empty());
  CHECK(machine.device.resets == 1);
  CHECK(machine.driver.status() == 0);
  CHECK_FALSE(machine.queue->take_used());
  CHECK_FALSE(machine.line.level);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == 0);
}

TEST_CASE("requests, doorbells and interrupts are counted", "[virtio-mmio]") {
  EchoMachine machine(RingLayout::split);
  serve_one(machine);
  serve_one(machine);
  machine.transport.doorbells(5);
  CHECK(machine.transport.operations() ==
        std::vector<Operation>{{"requests", 2}, {"doorbells", 7}, {"interrupts", 1}});
}
