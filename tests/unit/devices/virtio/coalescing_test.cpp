// Doorbells and interrupts that are held until a batch is there, or the time is up.
#include "devices/virtio/coalescing.hpp"

#include <linux/virtio_mmio.h>

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

constexpr Gpa request = EchoMachine::data;

RingLayout either_layout() {
  return GENERATE(RingLayout::split, RingLayout::packed);
}

struct HoldingMachine final : Doorbell {
  HoldingMachine(RingLayout layout, Coalescing coalescing, std::uint64_t features = event_idx)
      : transport(device, line, *this, {.packed = true, .coalescing = coalescing}),
        driver(transport, memory, layout) {
    REQUIRE(driver.negotiate(features));
    queue = &driver.set_up_queue(0, 16);
    driver.driver_ok();
    time_is_up();  // of the doorbell that DRIVER_OK rings
    looks = 0;
  }
  void ring(unsigned number) noexcept override { transport.rung(number); }
  void look_later() noexcept override { ++looks; }

  void time_is_up() { transport.time_is_up(); }
  void add(unsigned count) {
    for (unsigned i = 0; i < count; ++i) queue->add({{request, 1, false}});
  }
  /// How many answers there are since last asked.
  unsigned answers() {
    unsigned count = 0;
    while (queue->take_used()) ++count;
    return count;
  }
  void acknowledge() { driver.write(VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING); }

  GuestMemory memory{8 << 20};
  RecordingLine line;
  EchoDevice device{memory};
  MmioTransport transport;
  TestDriver driver;
  DriverQueue* queue = nullptr;
  unsigned looks = 0;
};

constexpr Coalescing hold_doorbells{.batch = 4, .timeout = std::chrono::microseconds(50), .doorbells = true};
constexpr Coalescing hold_interrupts{
    .batch = 4, .timeout = std::chrono::microseconds(50), .interrupts = true};

/// The event by which a driver rings for the request after `entries` from the start of a queue of 16.
std::uint16_t event_after(RingLayout layout, unsigned entries) {
  const unsigned wrap = entries / 16 % 2 == 0 ? 0x8000u : 0u;
  return static_cast<std::uint16_t>(layout == RingLayout::split ? entries : (entries % 16 | wrap));
}

}  // namespace

TEST_CASE("requests fewer than a batch wait for the time", "[coalescing]") {
  const RingLayout layout = either_layout();
  HoldingMachine machine(layout, hold_doorbells);
  machine.add(1);
  machine.driver.notify(0);
  CHECK(machine.answers() == 0);
  CHECK(machine.looks == 1);
  CHECK(machine.queue->device_event() == event_after(layout, 3));  // the fourth rings
  machine.add(1);
  machine.time_is_up();
  CHECK(machine.answers() == 2);
}

TEST_CASE("a batch is served when its last request rings", "[coalescing]") {
  const RingLayout layout = either_layout();
  HoldingMachine machine(layout, hold_doorbells);
  machine.add(1);
  machine.driver.notify(0);
  machine.add(3);
  machine.driver.notify(0);
  CHECK(machine.answers() == 4);
  CHECK(machine.queue->device_event() == event_after(layout, 7));  // the next batch's last
  machine.add(4);
  machine.driver.notify(0);
  CHECK(machine.answers() == 4);
}

TEST_CASE("a batch that is there with its first doorbell is served at once", "[coalescing]") {
  HoldingMachine machine(either_layout(), hold_doorbells);
  machine.add(5);
  machine.driver.notify(0);
  CHECK(machine.answers() == 5);
}

TEST_CASE("when the time finds nothing, the next request rings again", "[coalescing]") {
  const RingLayout layout = either_layout();
  HoldingMachine machine(layout, hold_doorbells);
  machine.add(4);
  machine.driver.notify(0);
  CHECK(machine.answers() == 4);
  CHECK(machine.looks == 1);  // it looks by itself once more
  machine.time_is_up();
  CHECK(machine.looks == 1);
  CHECK(machine.queue->device_event() == event_after(layout, 4));
}

TEST_CASE("without EVENT_IDX no doorbell is wanted while the device looks by itself", "[coalescing]") {
  HoldingMachine machine(either_layout(), hold_doorbells, 0);
  CHECK(machine.queue->device_listens());
  machine.add(1);
  machine.driver.notify(0);
  CHECK_FALSE(machine.queue->device_listens());
  machine.time_is_up();
  CHECK(machine.answers() == 1);
  CHECK_FALSE(machine.queue->device_listens());
  machine.time_is_up();
  CHECK(machine.queue->device_listens());
}

TEST_CASE("an interrupt is held until a batch was answered", "[coalescing]") {
  const RingLayout layout = either_layout();
  HoldingMachine machine(layout, hold_interrupts);
  for (unsigned i = 0; i < 3; ++i) {
    machine.queue->set_driver_event(event_after(layout, i));
    machine.add(1);
    machine.driver.notify(0);
    CHECK(machine.answers() == 1);  // seen by a driver that looks
  }
  CHECK(machine.line.rises == 0);
  CHECK(machine.looks == 1);
  machine.add(1);
  machine.driver.notify(0);
  CHECK(machine.line.rises == 1);
}

TEST_CASE("an interrupt that is held comes when the time is up, once", "[coalescing]") {
  const RingLayout layout = either_layout();
  HoldingMachine machine(layout, hold_interrupts);
  machine.queue->set_driver_event(event_after(layout, 0));
  machine.add(1);
  machine.driver.notify(0);
  CHECK(machine.line.rises == 0);
  machine.time_is_up();
  CHECK(machine.line.rises == 1);
  machine.acknowledge();
  machine.time_is_up();
  CHECK(machine.line.rises == 1);
}

TEST_CASE("an interrupt that the driver does not want is not made by the time", "[coalescing]") {
  const RingLayout layout = either_layout();
  HoldingMachine machine(layout, hold_interrupts);
  machine.queue->set_driver_event(event_after(layout, 9));
  machine.add(1);
  machine.driver.notify(0);
  machine.time_is_up();
  CHECK(machine.line.rises == 0);
}

TEST_CASE("a reset forgets what was held", "[coalescing]") {
  HoldingMachine machine(either_layout(), hold_interrupts, 0);
  machine.add(1);
  machine.driver.notify(0);
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  machine.time_is_up();
  CHECK(machine.line.rises == 0);
}
