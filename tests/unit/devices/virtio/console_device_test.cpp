// virtio-console: VIRTIO 1.2, 5.3.
#include "devices/virtio/console_device.hpp"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <catch2/catch.hpp>

#include "../fakes.hpp"
#include "driver.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

constexpr Gpa data{0x40'0000};
constexpr std::uint64_t f_size = 1 << 0, f_emerg_write = 1 << 2;

struct ConsoleMachine final : ReceiveReady, TransmitObserver {
  explicit ConsoleMachine(std::optional<ConsoleDevice::Size> size = {})
      : device("virtio-console0", memory, sink, size), transport(device, line, doorbell) {
    doorbell.connect(transport);
    device.set_receive_ready(*this);
    device.set_transmit_observer(*this);
    begin();
  }
  void begin() {
    REQUIRE(driver.negotiate());
    receive = &driver.set_up_queue(ConsoleDevice::receiveq, 8);
    transmit = &driver.set_up_queue(ConsoleDevice::transmitq, 8);
    driver.driver_ok();
  }
  std::size_t type(std::string_view text) {
    return device.receive(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  void give_room(Gpa at, std::uint32_t length) {
    receive->add({writable_room(at, length)});
    driver.notify(ConsoleDevice::receiveq);
  }
  [[nodiscard]] bool broken() { return (driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0; }

  void receive_ready() noexcept override { ++readies; }
  void transmitted(std::uint8_t byte, bool) noexcept override { observed.push_back(static_cast<char>(byte)); }

  GuestMemory memory{8 << 20};
  RecordingLine line;
  InlineDoorbell doorbell;
  RecordingSink sink;
  unsigned readies = 0;
  std::string observed;
  ConsoleDevice device;
  MmioTransport transport;
  TestDriver driver{transport, memory};
  DriverQueue* receive = nullptr;
  DriverQueue* transmit = nullptr;
};

}  // namespace

TEST_CASE("what the driver transmits comes out, in order", "[virtio-console]") {
  ConsoleMachine machine;
  CHECK(machine.driver.read(VIRTIO_MMIO_DEVICE_ID) == 3);
  machine.transmit->add(
      {readable_text(machine.memory, data, "hel"), readable_text(machine.memory, data + 0x100, "lo")});
  machine.transmit->add({readable_text(machine.memory, data + 0x200, " there")});
  machine.driver.notify(ConsoleDevice::transmitq);
  CHECK(machine.sink.text == "hello there");
  CHECK(machine.observed == "hello there");
  CHECK(machine.transmit->take_used()->written == 0);
  CHECK(machine.transmit->take_used());
}

TEST_CASE("what is typed fills the driver's buffers", "[virtio-console]") {
  ConsoleMachine machine;
  machine.give_room(data, 4);
  machine.give_room(data + 0x100, 4);
  CHECK(machine.type("abcdef") == 6);
  CHECK(machine.receive->take_used()->written == 4);
  CHECK(machine.receive->take_used()->written == 2);
  CHECK(text_at(machine.memory, data, 4) == "abcd");
  CHECK(text_at(machine.memory, data + 0x100, 2) == "ef");
  CHECK(machine.line.rises == 1);
}

TEST_CASE("what finds no buffer is refused, and told when there is one", "[virtio-console]") {
  ConsoleMachine machine;
  machine.readies = 0;
  CHECK(machine.type("ab") == 0);
  machine.give_room(data, 1);
  CHECK(machine.readies == 1);
  CHECK(machine.type("ab") == 1);
  machine.give_room(data, 8);
  CHECK(machine.readies == 2);
  CHECK(machine.type("b") == 1);
  machine.give_room(data, 8);
  CHECK(machine.readies == 2);  // nothing has been refused since
}

TEST_CASE("nothing is taken while no driver runs the console", "[virtio-console]") {
  ConsoleMachine machine;
  CHECK(machine.device.ready());
  machine.give_room(data, 8);
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK_FALSE(machine.device.ready());
  CHECK(machine.type("a") == 0);
  machine.readies = 0;
  machine.begin();
  CHECK(machine.readies == 1);  // what waits elsewhere may come here now
  machine.give_room(data, 8);
  CHECK(machine.type("a") == 1);
}

TEST_CASE("a receive buffer that nothing can be written to needs a reset", "[virtio-console]") {
  ConsoleMachine machine;
  machine.receive->add({readable_text(machine.memory, data, "x")});
  machine.driver.notify(ConsoleDevice::receiveq);
  CHECK(machine.type("a") == 0);
  CHECK(machine.broken());
  machine.begin();
  machine.give_room(data, 8);
  CHECK(machine.type("a") == 1);
}

TEST_CASE("the writable part of what is transmitted stays as it is", "[virtio-console]") {
  ConsoleMachine machine;
  machine.transmit->add({readable_text(machine.memory, data, "x"), writable_room(data + 0x100, 4)});
  machine.transmit->add({writable_room(data + 0x100, 4)});
  machine.driver.notify(ConsoleDevice::transmitq);
  CHECK(machine.sink.text == "x");
  CHECK(machine.transmit->take_used()->written == 0);
  CHECK(machine.transmit->take_used()->written == 0);
}

TEST_CASE("an emergency write needs no driver", "[virtio-console]") {
  ConsoleMachine machine;
  CHECK((machine.driver.device_features() & f_emerg_write) != 0);
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  machine.transport.write(0x108, 4, 'h');
  machine.transport.write(0x108, 1, 'i');
  machine.transport.write(0x100, 4, 'x');
  machine.transport.write(0x109, 1, 'x');
  CHECK(machine.sink.text == "hi");
  CHECK(machine.transport.register_name(0x108, Direction::write) == "emerg_wr");
}

TEST_CASE("the size of a terminal is told, and its changes", "[virtio-console]") {
  ConsoleMachine machine(ConsoleDevice::Size{.columns = 132, .rows = 43});
  CHECK((machine.driver.device_features() & f_size) != 0);
  CHECK(machine.transport.read(0x100, 2) == 132);
  CHECK(machine.transport.read(0x102, 2) == 43);
  machine.device.resize({.columns = 132, .rows = 43});
  CHECK_FALSE(machine.line.level);
  machine.device.resize({.columns = 80, .rows = 24});
  CHECK(machine.driver.read(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_CONFIG);
  CHECK(machine.transport.read(0x100, 4) == (80 | 24 << 16));
}

TEST_CASE("without a terminal no size is offered", "[virtio-console]") {
  ConsoleMachine machine;
  CHECK((machine.driver.device_features() & f_size) == 0);
  machine.device.resize({.columns = 80, .rows = 24});
  CHECK_FALSE(machine.line.level);
}

TEST_CASE("the console counts its bytes", "[virtio-console]") {
  ConsoleMachine machine;
  machine.transmit->add({readable_text(machine.memory, data, "four")});
  machine.driver.notify(ConsoleDevice::transmitq);
  machine.give_room(data, 8);
  CHECK(machine.type("ab") == 2);
  CHECK(machine.device.operations() ==
        std::vector<Operation>{{"bytes", 6}, {"bytes sent", 4}, {"bytes received", 2}});
}
