// Requests through a queue of either layout, as a driver that keeps the rules sees it.
#include <linux/virtio_mmio.h>

#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

constexpr Gpa request = EchoMachine::data, answer = EchoMachine::data + 0x1000;

RingLayout either_layout() {
  return GENERATE(RingLayout::split, RingLayout::packed);
}

}  // namespace

TEST_CASE("a request is answered, with its id and the length written", "[virtqueue]") {
  EchoMachine machine(either_layout());
  const std::uint16_t id =
      machine.queue->add({readable_text(machine.memory, request, "hello"), writable_room(answer, 16)});
  machine.driver.notify(0);
  const auto used = machine.queue->take_used();
  REQUIRE(used);
  CHECK(used->id == id);
  CHECK(used->written == 5);
  CHECK(text_at(machine.memory, answer, 5) == "hello");
  CHECK_FALSE(machine.queue->take_used());
  CHECK(machine.line.level);
  CHECK(machine.driver.read(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_VRING);
}

TEST_CASE("requests cut into any pieces are one run of bytes", "[virtqueue]") {
  EchoMachine machine(either_layout());
  machine.queue->add({readable_text(machine.memory, request, "a"),
                      readable_text(machine.memory, request + 0x100, "bcd"),
                      readable_text(machine.memory, request + 0x200, "ef"), writable_room(answer, 2),
                      writable_room(answer + 0x100, 9)});
  machine.driver.notify(0);
  CHECK(machine.queue->take_used()->written == 6);
  CHECK(text_at(machine.memory, answer, 2) == "ab");
  CHECK(text_at(machine.memory, answer + 0x100, 4) == "cdef");
}

TEST_CASE("a chain may lie in an indirect table", "[virtqueue]") {
  EchoMachine machine(either_layout(), indirect_desc);
  for (int turn = 0; turn < 3; ++turn) {
    machine.queue->add_indirect(
        {readable_text(machine.memory, request, "in"),
         readable_text(machine.memory, request + 0x100, "direct"), writable_room(answer, 16)},
        EchoMachine::data + 0x2000);
    machine.driver.notify(0);
    CHECK(machine.queue->take_used()->written == 8);
    CHECK(text_at(machine.memory, answer, 8) == "indirect");
  }
}

TEST_CASE("a queue goes round many times", "[virtqueue]") {
  const RingLayout layout = either_layout();
  // 2.8.10: a packed queue's size need not be a power of two.
  EchoMachine machine(layout, 0, layout == RingLayout::split ? 8 : 7);
  for (unsigned i = 0; i < 70'000; ++i) {
    const std::string text = "request " + std::to_string(i);
    machine.queue->add({readable_text(machine.memory, request, text), writable_room(answer, 32)});
    machine.driver.notify(0);
    const auto used = machine.queue->take_used();
    if (!used || used->written != text.size() || text_at(machine.memory, answer, text.size()) != text) {
      FAIL("request " << i << " was not answered");
    }
  }
  CHECK(machine.device.queue(0).completed() == 70'000);
}

TEST_CASE("many requests are served by one doorbell", "[virtqueue]") {
  EchoMachine machine(either_layout());
  for (unsigned i = 0; i < 4; ++i) {
    machine.queue->add({readable_text(machine.memory, request + i * 0x100, std::to_string(i)),
                        writable_room(answer + i * 0x100, 1)});
  }
  machine.driver.notify(0);
  for (unsigned i = 0; i < 4; ++i) {
    CHECK(machine.queue->take_used());
    CHECK(text_at(machine.memory, answer + i * 0x100, 1) == std::to_string(i));
  }
  CHECK(machine.line.rises == 1);
}

TEST_CASE("requests may be answered in any order", "[virtqueue]") {
  EchoMachine machine(either_layout());
  machine.device.hold = true;
  std::vector<std::uint16_t> ids;
  for (unsigned i = 0; i < 4; ++i) {
    ids.push_back(machine.queue->add({readable_text(machine.memory, request + i * 0x100, std::to_string(i)),
                                      writable_room(answer + i * 0x100, 1)}));
  }
  machine.driver.notify(0);
  CHECK_FALSE(machine.queue->take_used());
  REQUIRE(machine.device.held.size() == 4);
  for (const std::size_t i : {2u, 0u, 3u, 1u}) {
    machine.device.answer(0, machine.device.held[i]);
    CHECK(machine.queue->take_used()->id == ids[i]);
  }
  machine.device.held.clear();
  machine.device.hold = false;
  for (int turn = 0; turn < 20; ++turn) {
    machine.queue->add({readable_text(machine.memory, request, "x"), writable_room(answer, 1)});
    machine.driver.notify(0);
    CHECK(machine.queue->take_used());
  }
}

TEST_CASE("a chain that was put back comes again", "[virtqueue]") {
  const RingLayout layout = either_layout();
  EchoMachine machine(layout, 0, layout == RingLayout::split ? 8 : 6);
  machine.device.hold = true;
  Virtqueue& queue = machine.device.queue(0);
  Chain first, second, third;
  for (int turn = 0; turn < 10; ++turn) {
    machine.queue->add({readable_text(machine.memory, request, "1"), writable_room(answer, 1)});
    machine.queue->add({readable_text(machine.memory, request + 0x100, "2"), writable_room(answer, 1)});
    REQUIRE(queue.pop(first));
    REQUIRE(queue.pop(second));
    CHECK_FALSE(queue.pop(third));
    queue.unpop(second);
    queue.unpop(first);
    REQUIRE(queue.pop(second));
    CHECK(second.readable.load<char>(0) == '1');
    REQUIRE(queue.pop(first));
    CHECK(first.readable.load<char>(0) == '2');
    queue.complete(second, 0);
    queue.complete(first, 0);
    CHECK(machine.queue->take_used());
    CHECK(machine.queue->take_used());
  }
}

TEST_CASE("a driver that suppresses interrupts gets none", "[virtqueue]") {
  EchoMachine machine(either_layout());
  machine.queue->suppress_interrupts(true);
  machine.queue->add({readable_text(machine.memory, request, "x"), writable_room(answer, 1)});
  machine.driver.notify(0);
  CHECK(machine.queue->take_used());
  CHECK(machine.line.rises == 0);
  machine.queue->suppress_interrupts(false);
  machine.queue->add({readable_text(machine.memory, request, "x"), writable_room(answer, 1)});
  machine.driver.notify(0);
  CHECK(machine.line.rises == 1);
}

TEST_CASE("with EVENT_IDX the interrupt comes with the used buffer that the driver named", "[virtqueue]") {
  const RingLayout layout = either_layout();
  EchoMachine machine(layout, event_idx, 8);
  const auto serve_one = [&] {
    machine.queue->add({readable_text(machine.memory, request, "x")});
    machine.driver.notify(0);
    machine.queue->take_used();
    machine.driver.write(VIRTIO_MMIO_INTERRUPT_ACK, 1);
    return machine.line.rises;
  };
  // Split: used_event is the index whose entry interrupts. Packed: the descriptor's offset, wrap bit 15.
  machine.queue->set_driver_event(layout == RingLayout::split ? 2 : 0x8002);
  CHECK(serve_one() == 0);
  CHECK(serve_one() == 0);
  CHECK(serve_one() == 1);
  CHECK(serve_one() == 1);
  // The second turn: entry 10.
  machine.queue->set_driver_event(layout == RingLayout::split ? 10 : 0x0002);
  for (int i = 4; i < 10; ++i) CHECK(serve_one() == 1);
  CHECK(serve_one() == 2);
  CHECK(serve_one() == 2);
}

TEST_CASE("several answers pushed together interrupt once", "[virtqueue]") {
  EchoMachine machine(either_layout(), event_idx);
  machine.queue->set_driver_event(machine.queue->layout() == RingLayout::split ? 1 : 0x8001);
  machine.device.hold = true;
  for (int i = 0; i < 3; ++i) machine.queue->add({readable_text(machine.memory, request, "x")});
  machine.driver.notify(0);
  for (const Chain& chain : machine.device.held) machine.device.queue(0).push(chain, 0);
  machine.device.held.clear();
  CHECK(machine.line.rises == 0);
  machine.device.queue(0).signal();
  CHECK(machine.line.rises == 1);
  machine.device.queue(0).signal();
  CHECK(machine.line.rises == 1);
}

TEST_CASE("a queue listens when its device is idle, and only then", "[virtqueue]") {
  const RingLayout layout = either_layout();
  EchoMachine machine(layout);
  Virtqueue& queue = machine.device.queue(0);
  CHECK(machine.queue->device_listens());
  queue.silence();
  CHECK_FALSE(machine.queue->device_listens());
  CHECK(queue.listen());
  CHECK(machine.queue->device_listens());
  queue.silence();
  machine.queue->add({readable_text(machine.memory, request, "x")});
  CHECK_FALSE(queue.listen());  // it would have rung for nobody
}

TEST_CASE("with EVENT_IDX a queue that listens asks for the next request's doorbell", "[virtqueue]") {
  const RingLayout layout = either_layout();
  EchoMachine machine(layout, event_idx, 8);
  for (std::uint16_t i = 1; i <= 20; ++i) {
    machine.queue->add({readable_text(machine.memory, request, "x")});
    machine.driver.notify(0);
    CHECK(machine.queue->take_used());
    const unsigned wrap = i / 8 % 2 == 0 ? 0x8000u : 0u;
    CHECK(machine.queue->device_event() == (layout == RingLayout::split ? i : (i % 8 | wrap)));
  }
}
