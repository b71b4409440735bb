// virtio-rng: VIRTIO 1.2, 5.4.
#include "devices/virtio/entropy_device.hpp"

#include <linux/virtio_config.h>

#include <catch2/catch.hpp>

#include "../fakes.hpp"
#include "driver.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

constexpr Gpa room{0x40'0000};

/// Counts up, up to `available` bytes.
struct Counting final : EntropySource {
  std::size_t fill(std::span<std::byte> to) noexcept override {
    const std::size_t count = std::min(to.size(), available);
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<std::byte>(++last);
    available -= count;
    return count;
  }
  unsigned last = 0;
  std::size_t available = 1 << 20;
};

struct EntropyMachine {
  EntropyMachine() {
    doorbell.connect(transport);
    REQUIRE(driver.negotiate());
    queue = &driver.set_up_queue(0, 8);
    driver.driver_ok();
  }
  [[nodiscard]] bool broken() { return (driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0; }

  GuestMemory memory{8 << 20};
  RecordingLine line;
  InlineDoorbell doorbell;
  Counting source;
  EntropyDevice device{"virtio-rng0", memory, source};
  MmioTransport transport{device, line, doorbell};
  TestDriver driver{transport, memory};
  DriverQueue* queue = nullptr;
};

}  // namespace

TEST_CASE("a request for entropy is filled, in all of its pieces", "[virtio-rng]") {
  EntropyMachine machine;
  CHECK(machine.driver.read(0x008) == 4);  // device ID: 5
  machine.queue->add({writable_room(room, 2), writable_room(room + 0x100, 3)});
  machine.driver.notify(0);
  CHECK(machine.queue->take_used()->written == 5);
  CHECK(text_at(machine.memory, room, 3) == std::string("\1\2\0", 3));
  CHECK(text_at(machine.memory, room + 0x100, 4) == std::string("\3\4\5\0", 4));
  CHECK(machine.line.level);
  CHECK(machine.transport.operations().back() == Operation{"bytes", 5});
}

TEST_CASE("a request gets no more than there is at once", "[virtio-rng]") {
  EntropyMachine machine;
  machine.queue->add({writable_room(room, 0x20'0000)});
  machine.driver.notify(0);
  CHECK(machine.queue->take_used()->written == EntropyDevice::most_at_once);
  machine.source.available = 3;
  machine.queue->add({writable_room(room, 100)});
  machine.driver.notify(0);
  CHECK(machine.queue->take_used()->written == 3);
}

TEST_CASE("a request for entropy that is not for writing to needs a reset", "[virtio-rng]") {
  for (const bool also_writable : {false, true}) {
    EntropyMachine machine;
    std::vector<GuestBuffer> buffers{{room, 16, false}};
    if (also_writable) buffers.push_back(writable_room(room + 0x100, 16));
    machine.queue->add(buffers);
    machine.driver.notify(0);
    CHECK(machine.broken());
    CHECK_FALSE(machine.queue->take_used());
    CHECK(machine.source.last == 0);
    machine.driver.write(0x070, 0);
    CHECK(machine.driver.status() == 0);
  }
}
