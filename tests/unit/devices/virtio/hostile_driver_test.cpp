// Drivers that break the rules: the device asks for a reset and says why, nothing else happens.
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <catch2/catch.hpp>

#include "devices/virtio/ring_memory.hpp"
#include "fixture.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

constexpr Gpa request = EchoMachine::data, table = EchoMachine::data + 0x2000;
constexpr std::uint64_t memory_end = 8 << 20;

RingLayout either_layout() {
  return GENERATE(RingLayout::split, RingLayout::packed);
}

/// Why the device needs a reset once it was rung for; "" where it does not.
std::string fault_after_notify(EchoMachine& machine) {
  machine.driver.notify(0);
  const bool needs_reset = (machine.driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;
  CHECK(needs_reset == (machine.transport.fault() != nullptr));
  CHECK(machine.line.level == true);  // by the configuration interrupt, or the used buffer's
  return needs_reset ? machine.transport.fault() : "";
}

std::string fault_of(RingLayout layout, const std::vector<GuestBuffer>& buffers) {
  EchoMachine machine(layout);
  machine.queue->add(buffers);
  return fault_after_notify(machine);
}

std::string fault_of_indirect(RingLayout layout, const std::vector<GuestBuffer>& buffers,
                              std::uint64_t features = indirect_desc) {
  EchoMachine machine(layout, features);
  machine.queue->add_indirect(buffers, table);
  return fault_after_notify(machine);
}

/// A split queue's descriptors, written as they are; the head is made available.
std::string fault_of_split(const std::vector<vring_desc>& descriptors, std::uint16_t head = 0) {
  EchoMachine machine(RingLayout::split, indirect_desc);
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    machine.queue->store(machine.queue->descriptors() + 16 * i, descriptors[i]);
  }
  machine.queue->store(machine.queue->driver_area() + 4, head);
  machine.queue->store(machine.queue->driver_area() + 2, std::uint16_t{1});
  return fault_after_notify(machine);
}

}  // namespace

TEST_CASE("a buffer of length 0 breaks the ring", "[hostile]") {
  CHECK(fault_of(either_layout(), {{request, 0, false}}) == "a descriptor of length 0");
}

TEST_CASE("a buffer that is not all in memory breaks the ring", "[hostile]") {
  const RingLayout layout = either_layout();
  const GuestBuffer buffer = GENERATE(
      GuestBuffer{Gpa{memory_end}, 1, false}, GuestBuffer{Gpa{memory_end - 1}, 2, true},
      GuestBuffer{request, 0xffff'ffff, true}, GuestBuffer{Gpa{~std::uint64_t{0}}, 1, false},
      GuestBuffer{Gpa{~std::uint64_t{0}}, 0xffff'ffff, true}, GuestBuffer{Gpa{low_ram_limit}, 4096, false},
      GuestBuffer{Gpa{std::uint64_t{1} << 63}, 16, false});
  CHECK(fault_of(layout, {buffer}) == "a buffer outside guest memory");
  CHECK(fault_of_indirect(layout, {buffer}) == "a buffer outside guest memory");
}

TEST_CASE("a buffer at the very end of memory is one", "[hostile]") {
  CHECK(fault_of(either_layout(), {{Gpa{memory_end - 1}, 1, false}}) == "");
}

TEST_CASE("a readable buffer behind a writable one breaks the ring", "[hostile]") {
  const RingLayout layout = either_layout();
  const std::vector<GuestBuffer> buffers{writable_room(request, 8), {request + 0x100, 8, false}};
  CHECK(fault_of(layout, buffers) == "a readable descriptor behind a writable one");
  CHECK(fault_of_indirect(layout, buffers) == "a readable descriptor behind a writable one");
}

TEST_CASE("a chain of more than 4 GiB breaks the ring", "[hostile]") {
  const GuestBuffer all{Gpa{0}, memory_end, true};
  CHECK(fault_of_indirect(either_layout(), std::vector<GuestBuffer>(512, all)) ==
        "a chain of more than 4 GiB");
}

TEST_CASE("a device writes only to what is writable, as far as there is room", "[hostile]") {
  EchoMachine machine(either_layout());
  machine.queue->add({readable_text(machine.memory, request, "too much"), writable_room(request + 0x100, 3)});
  machine.queue->add({readable_text(machine.memory, request + 0x200, "no room")});
  machine.driver.notify(0);
  CHECK(machine.queue->take_used()->written == 3);
  CHECK(machine.queue->take_used()->written == 0);
  CHECK(text_at(machine.memory, request, 8) == "too much");
  CHECK(text_at(machine.memory, request + 0x100, 4) == std::string("too\0", 4));
  CHECK(text_at(machine.memory, request + 0x200, 8) == std::string("no room\0", 8));
}

TEST_CASE("an indirect table has whole descriptors, in memory, and not too many", "[hostile]") {
  const RingLayout layout = either_layout();
  const auto fault_of_table = [layout](Gpa at, std::uint32_t length) {
    EchoMachine machine(layout, indirect_desc);
    machine.queue->add_indirect({{request, 1, false}}, table);
    machine.queue->store(machine.queue->descriptors(), at.value);
    machine.queue->store(machine.queue->descriptors() + 8, length);
    return fault_after_notify(machine);
  };
  CHECK(fault_of_table(table, 0) == "an indirect table whose length is not that of whole descriptors");
  CHECK(fault_of_table(table, 15) == "an indirect table whose length is not that of whole descriptors");
  CHECK(fault_of_table(table, 0xffff'ffff) ==
        "an indirect table whose length is not that of whole descriptors");
  CHECK(fault_of_table(table, 0xffff'fff0) == "an indirect table of too many descriptors");
  CHECK(fault_of_table(table, 16 * 1025) == "an indirect table of too many descriptors");
  CHECK(fault_of_table(Gpa{memory_end - 8}, 16) == "an indirect table outside guest memory");
  CHECK(fault_of_table(Gpa{~std::uint64_t{0} - 7}, 16) == "an indirect table outside guest memory");
  CHECK(fault_of_table(table, 16) == "");
}

TEST_CASE("an indirect descriptor that was not negotiated breaks the ring", "[hostile]") {
  CHECK(fault_of_indirect(either_layout(), {{request, 1, false}}, 0) ==
        "an indirect descriptor that was not negotiated");
}

TEST_CASE("a split chain may not leave its table, loop or outgrow the queue", "[hostile]") {
  const std::uint64_t at = request.value;
  CHECK(fault_of_split({{at, 1, VRING_DESC_F_NEXT, 8}}) == "a descriptor index past the queue's size");
  CHECK(fault_of_split({{at, 1, VRING_DESC_F_NEXT, 0xffff}}) == "a descriptor index past the queue's size");
  CHECK(fault_of_split({{at, 1, 0, 0}}, 8) == "a descriptor index past the queue's size");
  CHECK(fault_of_split({{at, 1, 0, 0}}, 0xffff) == "a descriptor index past the queue's size");
  CHECK(fault_of_split({{at, 1, VRING_DESC_F_NEXT, 0}}) == "a chain longer than the queue");
  CHECK(fault_of_split({{at, 1, VRING_DESC_F_NEXT, 1}, {at, 1, VRING_DESC_F_NEXT, 0}}) ==
        "a chain longer than the queue");
}

TEST_CASE("a split queue's indirect descriptor is the last of its chain", "[hostile]") {
  const std::uint64_t at = request.value;
  CHECK(fault_of_split({{table.value, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1}, {at, 1, 0, 0}}) ==
        "a descriptor behind an indirect one");
}

TEST_CASE("a chain in a split queue's indirect table may not leave it, loop or nest", "[hostile]") {
  const auto fault_of_entry = [](vring_desc entry) {
    EchoMachine machine(RingLayout::split, indirect_desc);
    machine.queue->add_indirect({{request, 1, false}, {request, 1, false}}, table);
    machine.queue->store(table, entry);
    return fault_after_notify(machine);
  };
  const std::uint64_t at = request.value;
  CHECK(fault_of_entry({at, 1, VRING_DESC_F_NEXT, 2}) == "a next field outside its indirect table");
  CHECK(fault_of_entry({at, 1, VRING_DESC_F_NEXT, 0}) == "a chain that loops in its indirect table");
  CHECK(fault_of_entry({table.value, 32, VRING_DESC_F_INDIRECT, 0}) ==
        "an indirect table in an indirect table");
  CHECK(fault_of_entry({at, 1, 0, 0}) == "");
}

TEST_CASE("a split queue's index that jumps breaks the ring", "[hostile]") {
  const auto index = GENERATE(std::uint16_t{9}, std::uint16_t{0x8000}, std::uint16_t{0xffff});
  EchoMachine machine(RingLayout::split);
  machine.queue->store(machine.queue->driver_area() + 2, index);
  CHECK(fault_after_notify(machine) == "an available index that moved by more than the queue's size");
}

TEST_CASE("a driver cannot have more under way than the queue has entries", "[hostile]") {
  EchoMachine machine(RingLayout::split);
  machine.device.hold = true;
  for (int i = 0; i < 8; ++i) machine.queue->add({{request, 1, false}});
  machine.driver.notify(0);
  CHECK(machine.device.held.size() == 8);
  machine.queue->add({{request, 1, false}});
  CHECK(fault_after_notify(machine) == "more chains available than the queue has entries");
  CHECK(machine.device.held.size() == 8);
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK(machine.driver.status() == 0);
}

TEST_CASE("a packed chain that never ends breaks the ring", "[hostile]") {
  EchoMachine machine(RingLayout::packed, 0, 7);
  for (unsigned i = 0; i < 7; ++i) {
    machine.queue->store(
        machine.queue->descriptors() + 16 * i,
        vring_packed_desc{request.value, 1, 0, VRING_DESC_F_NEXT | 1u << VRING_PACKED_DESC_F_AVAIL});
  }
  CHECK(fault_after_notify(machine) == "a chain longer than the queue, or than what of it is free");
}

TEST_CASE("a packed descriptor that is under way cannot be made available again", "[hostile]") {
  EchoMachine machine(RingLayout::packed, 0, 4);
  machine.device.hold = true;
  for (int i = 0; i < 4; ++i) machine.queue->add({{request, 1, false}});
  machine.driver.notify(0);
  CHECK(machine.device.held.size() == 4);
  machine.queue->add({{request, 1, false}});
  CHECK(fault_after_notify(machine) == "a chain longer than the queue, or than what of it is free");
  CHECK(machine.device.held.size() == 4);
}

TEST_CASE("a queue whose size cannot be is not made ready, and needs a reset", "[hostile]") {
  struct Case {
    RingLayout layout;
    std::uint16_t size;
    bool good;
  };
  const Case each = GENERATE(Case{RingLayout::split, 0, false}, Case{RingLayout::split, 3, false},
                             Case{RingLayout::split, 6, false}, Case{RingLayout::split, 512, false},
                             Case{RingLayout::split, 0xffff, false}, Case{RingLayout::split, 1, true},
                             Case{RingLayout::split, 256, true}, Case{RingLayout::packed, 0, false},
                             Case{RingLayout::packed, 257, false}, Case{RingLayout::packed, 6, true},
                             Case{RingLayout::packed, 1, true});
  EchoMachine machine(each.layout, 0, each.size);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == each.good);
  CHECK(((machine.driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) == 0) == each.good);
  CHECK(((machine.driver.status() & VIRTIO_CONFIG_S_DRIVER_OK) != 0) == each.good);
  machine.driver.notify(0);
  CHECK(machine.device.started.empty() != each.good);
}

TEST_CASE("a ring of misaligned or absent memory is not made ready", "[hostile]") {
  const RingLayout layout = either_layout();
  struct Part {
    std::uint64_t low;
    std::uint64_t alignment;
  };
  const bool split = layout == RingLayout::split;
  for (const Part part :
       {Part{VIRTIO_MMIO_QUEUE_DESC_LOW, 16}, Part{VIRTIO_MMIO_QUEUE_AVAIL_LOW, split ? 2u : 4u},
        Part{VIRTIO_MMIO_QUEUE_USED_LOW, 4}}) {
    const auto ready_at = [&](std::uint64_t at) {
      EchoMachine machine(layout);
      REQUIRE(machine.driver.negotiate());
      machine.driver.set_up_queue(1, 8);  // other addresses
      machine.driver.write(VIRTIO_MMIO_QUEUE_READY, 0);
      machine.driver.write(part.low, static_cast<std::uint32_t>(at));
      machine.driver.write(part.low + 4, static_cast<std::uint32_t>(at >> 32));
      machine.driver.write(VIRTIO_MMIO_QUEUE_READY, 1);
      return machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == 1;
    };
    CHECK(ready_at(0x1000 + part.alignment));
    CHECK_FALSE(ready_at(0x1000 + part.alignment / 2));
    CHECK_FALSE(ready_at(memory_end));
    CHECK_FALSE(ready_at(std::uint64_t{1} << 32));
    CHECK_FALSE(ready_at(~std::uint64_t{0} & ~(part.alignment - 1)));
  }
}

TEST_CASE("size and addresses of a queue cannot change while it is ready", "[hostile]") {
  EchoMachine machine(either_layout());
  machine.driver.write(VIRTIO_MMIO_QUEUE_SEL, 0);
  machine.driver.write(VIRTIO_MMIO_QUEUE_NUM, 3);
  machine.driver.write(VIRTIO_MMIO_QUEUE_DESC_LOW, 0x7fff'fff0);
  machine.driver.write(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 1);
  machine.driver.write(VIRTIO_MMIO_QUEUE_USED_LOW, 3);
  machine.driver.write(VIRTIO_MMIO_QUEUE_READY, 1);
  for (int i = 0; i < 20; ++i) {
    machine.queue->add({{request, 1, false}});
    CHECK(fault_after_notify(machine) == "");
    CHECK(machine.queue->take_used());
  }
}

TEST_CASE("control registers are read with every width and written only with 32 bits", "[hostile]") {
  EchoMachine machine(RingLayout::split);
  CHECK(machine.transport.read(VIRTIO_MMIO_MAGIC_VALUE, 1) == 0x76);
  CHECK(machine.transport.read(VIRTIO_MMIO_MAGIC_VALUE + 1, 2) == 0x7269);
  CHECK(machine.transport.read(VIRTIO_MMIO_MAGIC_VALUE + 2, 4) == 0x0002'7472);
  CHECK(machine.transport.read(VIRTIO_MMIO_MAGIC_VALUE, 8) == 0x0000'0002'7472'6976);
  const std::uint32_t status = machine.driver.status();
  for (const unsigned width : {1u, 2u, 3u, 5u, 8u}) machine.transport.write(VIRTIO_MMIO_STATUS, width, 0);
  for (const std::uint64_t off : {1u, 2u, 3u}) machine.transport.write(VIRTIO_MMIO_STATUS - off, 4, 0);
  CHECK(machine.driver.status() == status);
}

TEST_CASE("any register takes any value, and gives no more than its width", "[hostile]") {
  for (const std::uint64_t value :
       {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0x5555'5555'5555'5555}}) {
    for (unsigned width = 1; width <= 8; ++width) {
      EchoMachine machine(RingLayout::split);
      for (std::uint64_t offset = 0; offset < 0x120; ++offset) {
        machine.transport.write(offset, width, value);
        CHECK((machine.transport.read(offset, width) & ~all_ones(width)) == 0);
      }
      machine.driver.write(VIRTIO_MMIO_STATUS, 0);
      CHECK(machine.driver.status() == 0);
    }
  }
}

TEST_CASE("what lies past the configuration space reads as ones", "[hostile]") {
  EchoMachine machine(RingLayout::split);
  for (const std::uint64_t offset : {std::uint64_t{0x106}, MmioTransport::size - 1, MmioTransport::size,
                                     ~std::uint64_t{0} - 7, ~std::uint64_t{0}}) {
    for (unsigned width = 1; width <= 8; ++width) {
      CHECK(machine.transport.read(offset, width) == all_ones(width));
      machine.transport.write(offset, width, 0);
    }
  }
}
