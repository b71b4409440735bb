// The network device (VIRTIO 1.2, 5.1) as its driver sees it.
#include "devices/virtio/net_device.hpp"

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_mmio.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "../fake_network.hpp"
#include "../fakes.hpp"
#include "driver.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

using Frame = std::vector<std::byte>;

constexpr MacAddress address{{0x02, 0x6b, 0x76, 0x6d, 0x62, 0x00}};
const std::vector<unsigned> to_device = {0x02, 0x6b, 0x76, 0x6d, 0x62, 0x00};
const std::vector<unsigned> to_other = {0x02, 0x6b, 0x76, 0x6d, 0x62, 0x01};
const std::vector<unsigned> to_group = {0x33, 0x33, 0x00, 0x00, 0x00, 0x01};
const std::vector<unsigned> to_all = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

constexpr std::uint64_t feature(unsigned bit) {
  return std::uint64_t{1} << bit;
}
constexpr std::uint64_t mergeable = feature(VIRTIO_NET_F_MRG_RXBUF);
constexpr std::uint64_t control = feature(VIRTIO_NET_F_CTRL_VQ) | feature(VIRTIO_NET_F_CTRL_RX) |
                                  feature(VIRTIO_NET_F_CTRL_RX_EXTRA) | feature(VIRTIO_NET_F_CTRL_MAC_ADDR) |
                                  feature(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);

/// Where in guest memory the tests have their buffers.
constexpr Gpa data{0x40'0000};

struct NetMachine {
  explicit NetMachine(std::uint64_t features = 0, const NetworkOffloads& offloads = {},
                      RingLayout layout = RingLayout::split)
      : network(network_with(offloads)), driver(transport, memory, layout) {
    doorbell.connect(transport);
    bring_up(features);
  }
  void bring_up(std::uint64_t features) {
    REQUIRE(driver.negotiate(features));
    receive = &driver.set_up_queue(NetDevice::receive_queue, 16);
    transmit = &driver.set_up_queue(NetDevice::transmit_queue, 16);
    control_queue = &driver.set_up_queue(NetDevice::control_queue, 16);
    driver.driver_ok();
  }
  static FakeNetwork network_with(const NetworkOffloads& offloads) {
    FakeNetwork network;
    network.can = offloads;
    return network;
  }

  GuestBuffer readable(Gpa at, std::span<const std::byte> bytes) {
    REQUIRE(memory.write(at, bytes));
    return {at, static_cast<std::uint32_t>(bytes.size()), false};
  }
  template <class T>
  GuestBuffer readable_value(Gpa at, const T& value) {
    return readable(at, std::as_bytes(std::span(&value, 1)));
  }
  Frame bytes_at(Gpa at, std::size_t size) const {
    Frame bytes(size);
    REQUIRE(memory.read(at, bytes));
    return bytes;
  }

  /// Sends a frame behind `header`, in two pieces.
  void send(const Frame& frame, const FrameHeader& header = {}) {
    transmit->add({readable_value(data, header), readable(data + 0x1000, frame)});
    driver.notify(NetDevice::transmit_queue);
  }
  /// Gives a buffer for received frames.
  void give(Gpa at, std::uint32_t length) {
    receive->add({writable_room(at, length)});
    driver.notify(NetDevice::receive_queue);
  }
  /// Gives a control command; returns the device's answer.
  std::uint8_t command(const Frame& bytes) {
    const Gpa answer = data + 0x2'0000;
    REQUIRE(memory.store(answer, std::uint8_t{0xee}));
    control_queue->add({readable(data + 0x3'0000, bytes), writable_room(answer, 1)});
    driver.notify(NetDevice::control_queue);
    const auto used = control_queue->take_used();
    REQUIRE(used);
    CHECK(used->written == 1);
    return memory.load<std::uint8_t>(answer).value();
  }
  std::uint64_t operation(std::string_view name) const {
    for (const Operation& operation : device.operations()) {
      if (operation.name == name) return operation.count;
    }
    FAIL("no operation " << name);
    return 0;
  }

  GuestMemory memory{8 << 20};
  RecordingLine line;
  InlineDoorbell doorbell;
  FakeNetwork network;
  NetDevice device{"virtio-net0", memory, network, address};
  MmioTransport transport{device, line, doorbell, {.packed = true}};
  TestDriver driver;
  DriverQueue* receive = nullptr;
  DriverQueue* transmit = nullptr;
  DriverQueue* control_queue = nullptr;
};

RingLayout either_layout() {
  return GENERATE(RingLayout::split, RingLayout::packed);
}

Frame bytes(const std::vector<unsigned>& values) {
  Frame result;
  for (const unsigned value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

Frame operator+(Frame first, const Frame& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// A table of VIRTIO_NET_CTRL_MAC_TABLE_SET.
Frame table(const std::vector<std::vector<unsigned>>& addresses) {
  Frame result = bytes({static_cast<unsigned>(addresses.size()), 0, 0, 0});
  for (const auto& entry : addresses) result = result + bytes(entry);
  return result;
}

}  // namespace

TEST_CASE("a network device tells its address, that the link is up, and the MTU of its network",
          "[virtio-net]") {
  NetMachine machine;
  machine.network.most = 1400;
  CHECK(machine.driver.read(VIRTIO_MMIO_DEVICE_ID) == VIRTIO_ID_NET);
  for (unsigned i = 0; i < MacAddress::size; ++i) {
    CHECK(machine.transport.read(0x100 + i, 1) == address.bytes[i]);
  }
  CHECK(machine.transport.read(0x106, 2) == VIRTIO_NET_S_LINK_UP);
  CHECK(machine.transport.read(0x108, 2) == 1);
  CHECK(machine.transport.read(0x10a, 2) == 1400);
  CHECK(machine.transport.read(0x10c, 4) == 0xffffffff);
  CHECK(machine.transport.register_name(0x100, Direction::read) == "mac");
  CHECK(machine.transport.register_name(0x105, Direction::read) == "mac");
  CHECK(machine.transport.register_name(0x106, Direction::read) == "status");
  machine.transport.write(0x100, 4, 0);
  CHECK(machine.transport.read(0x100, 4) == 0x6d766b02);
}

TEST_CASE("a link that goes down is told by status and a configuration interrupt", "[virtio-net]") {
  NetMachine machine;
  machine.network.up = false;
  machine.device.link_changed();
  CHECK(machine.driver.read(VIRTIO_MMIO_INTERRUPT_STATUS) == VIRTIO_MMIO_INT_CONFIG);
  CHECK(machine.transport.read(0x106, 2) == 0);
}

TEST_CASE("offloads are offered as far as the network has them, and the MTU where it says one",
          "[virtio-net]") {
  constexpr std::uint64_t offloads =
      feature(VIRTIO_NET_F_CSUM) | feature(VIRTIO_NET_F_GUEST_CSUM) | feature(VIRTIO_NET_F_HOST_TSO4) |
      feature(VIRTIO_NET_F_HOST_TSO6) | feature(VIRTIO_NET_F_HOST_ECN) | feature(VIRTIO_NET_F_HOST_UFO) |
      feature(VIRTIO_NET_F_GUEST_TSO4) | feature(VIRTIO_NET_F_GUEST_TSO6) | feature(VIRTIO_NET_F_GUEST_ECN) |
      feature(VIRTIO_NET_F_GUEST_UFO) | feature(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
  GuestMemory memory(8 << 20);
  FakeNetwork network;
  const auto features = [&] { return NetDevice("virtio-net0", memory, network, address).features(); };
  const std::uint64_t plain = features();
  CHECK((plain & offloads) == 0);
  CHECK((plain & feature(VIRTIO_NET_F_MTU)) == 0);
  CHECK((plain & mergeable) != 0);
  network.can = every_offload;
  CHECK((features() & offloads) == offloads);
  network.can.ufo = false;
  CHECK((features() & offloads) ==
        (offloads & ~feature(VIRTIO_NET_F_HOST_UFO) & ~feature(VIRTIO_NET_F_GUEST_UFO)));
  network.can.checksum = false;  // the others need it
  CHECK((features() & offloads) == 0);
  network.most = 1500;
  CHECK((features() & feature(VIRTIO_NET_F_MTU)) != 0);
  network.most = 67;  // 5.1.4.1
  CHECK((features() & feature(VIRTIO_NET_F_MTU)) == 0);
}

TEST_CASE("what lies behind the header goes out as one frame, however it is cut", "[virtio-net]") {
  NetMachine machine(0, {}, either_layout());
  const Frame frame = frame_to(to_other);
  const Frame request = Frame(12) + frame;
  for (const std::size_t cut : {1u, 2u, 11u, 12u, 13u, 71u, 72u}) {
    std::vector<GuestBuffer> pieces;
    const auto first = std::span(request).first(cut), rest = std::span(request).subspan(cut);
    pieces.push_back(machine.readable(data, first));
    if (!rest.empty()) pieces.push_back(machine.readable(data + 0x1000, rest));
    machine.transmit->add(pieces);
    machine.driver.notify(NetDevice::transmit_queue);
    const auto used = machine.transmit->take_used();
    REQUIRE(used);
    CHECK(used->written == 0);
    REQUIRE(machine.network.sent.size() == 1);
    CHECK(machine.network.sent[0].bytes == frame);
    CHECK(machine.network.sent[0].header.gso_type == VIRTIO_NET_HDR_GSO_NONE);
    machine.network.sent.clear();
  }
  CHECK(machine.operation("packets sent") == 7);
  CHECK(machine.operation("bytes sent") == 7 * frame.size());
}

TEST_CASE("frames that are too short, too long, or without their header are dropped and given back",
          "[virtio-net]") {
  NetMachine machine;
  const Frame room(12 + max_frame_size + 1);
  std::uint64_t dropped = 0;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{11}, std::size_t{12}, std::size_t{25}, 12 + max_frame_size + 1}) {
    machine.transmit->add({machine.readable(data, std::span(room).first(size))});
    machine.driver.notify(NetDevice::transmit_queue);
    CHECK(machine.transmit->take_used());
    CHECK(machine.operation("sends dropped") == ++dropped);
  }
  CHECK(machine.network.sent.empty());
  for (const std::size_t size : {std::size_t{26}, 12 + max_frame_size}) {
    machine.transmit->add({machine.readable(data, std::span(room).first(size))});
    machine.driver.notify(NetDevice::transmit_queue);
    CHECK(machine.transmit->take_used());
  }
  REQUIRE(machine.network.sent.size() == 2);
  CHECK(machine.network.sent[1].bytes.size() == max_frame_size);
}

TEST_CASE("a transmit request without anything to read is dropped", "[virtio-net]") {
  NetMachine machine;
  machine.transmit->add({writable_room(data, 100)});
  machine.driver.notify(NetDevice::transmit_queue);
  CHECK(machine.transmit->take_used()->written == 0);
  CHECK(machine.operation("sends dropped") == 1);
}

TEST_CASE("what the network does not take is dropped and counted", "[virtio-net]") {
  NetMachine machine;
  machine.network.takes = false;
  machine.send(frame_to(to_other));
  CHECK(machine.transmit->take_used());
  CHECK(machine.operation("sends dropped") == 1);
  CHECK(machine.operation("packets") == 0);
}

TEST_CASE("a frame may leave undone what was negotiated, and nothing else", "[virtio-net]") {
  constexpr std::uint64_t all = feature(VIRTIO_NET_F_CSUM) | feature(VIRTIO_NET_F_HOST_TSO4) |
                                feature(VIRTIO_NET_F_HOST_TSO6) | feature(VIRTIO_NET_F_HOST_ECN) |
                                feature(VIRTIO_NET_F_HOST_UFO);
  struct Case {
    std::uint64_t needs;  // features
    std::uint8_t flags, gso_type;
  };
  constexpr std::uint8_t needs_csum = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  const Case of = GENERATE(
      Case{feature(VIRTIO_NET_F_CSUM), needs_csum, VIRTIO_NET_HDR_GSO_NONE},
      Case{feature(VIRTIO_NET_F_HOST_TSO4), needs_csum, VIRTIO_NET_HDR_GSO_TCPV4},
      Case{feature(VIRTIO_NET_F_HOST_TSO6), needs_csum, VIRTIO_NET_HDR_GSO_TCPV6},
      Case{feature(VIRTIO_NET_F_HOST_UFO), needs_csum, VIRTIO_NET_HDR_GSO_UDP},
      Case{feature(VIRTIO_NET_F_HOST_ECN), needs_csum, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN});
  const FrameHeader header{.flags = of.flags,
                           .gso_type = of.gso_type,
                           .hdr_len = 54,
                           .gso_size = 1448,
                           .csum_start = 34,
                           .csum_offset = 16,
                           .num_buffers = 0x5555};
  NetMachine with(all, every_offload);
  with.send(frame_to(to_other, 4000), header);
  REQUIRE(with.network.sent.size() == 1);
  const FrameHeader& sent = with.network.sent[0].header;
  CHECK(sent.flags == of.flags);
  CHECK(sent.gso_type == of.gso_type);
  CHECK(sent.csum_start == 34);
  CHECK(sent.csum_offset == 16);
  CHECK(sent.num_buffers == 0);

  NetMachine without(all & ~of.needs, every_offload);
  without.send(frame_to(to_other, 4000), header);
  CHECK(without.network.sent.empty());
  CHECK(without.operation("sends dropped") == 1);
}

TEST_CASE("kinds of segmentation that do not exist are dropped; unknown flags are ignored", "[virtio-net]") {
  NetMachine machine(feature(VIRTIO_NET_F_CSUM) | feature(VIRTIO_NET_F_HOST_TSO4), every_offload);
  for (const std::uint8_t gso_type : {std::uint8_t{2}, std::uint8_t{5}, std::uint8_t{0x7f}}) {
    FrameHeader header{};
    header.gso_type = gso_type;
    machine.send(frame_to(to_other), header);
  }
  CHECK(machine.network.sent.empty());
  FrameHeader header{};
  header.flags = 0xfe;  // 5.1.6.2.1
  machine.send(frame_to(to_other), header);
  REQUIRE(machine.network.sent.size() == 1);
  CHECK(machine.network.sent[0].header.flags == 0);
}

TEST_CASE("a frame comes in behind a header that says it takes one buffer", "[virtio-net]") {
  NetMachine machine(0, {}, either_layout());
  machine.give(data, 2000);
  const Frame frame = frame_to(to_device, 200);
  CHECK(machine.device.receive({}, frame));
  const auto used = machine.receive->take_used();
  REQUIRE(used);
  CHECK(used->written == 12 + 200);
  CHECK(machine.bytes_at(data, 12) == bytes({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}));
  CHECK(machine.bytes_at(data + 12, 200) == frame);
  CHECK(machine.line.level);
  CHECK(machine.operation("packets received") == 1);
  CHECK(machine.operation("bytes received") == 200);
}

TEST_CASE("the header and the frame may lie in pieces of any size", "[virtio-net]") {
  NetMachine machine(0, {}, either_layout());
  machine.receive->add({writable_room(data, 5), writable_room(data + 0x100, 8),
                        writable_room(data + 0x200, 1), writable_room(data + 0x300, 2000)});
  const Frame frame = frame_to(to_device);
  CHECK(machine.device.receive({}, frame));
  CHECK(machine.receive->take_used()->written == 72);
  CHECK(machine.bytes_at(data + 0x107, 1) == Frame(frame.begin(), frame.begin() + 1));
  CHECK(machine.bytes_at(data + 0x200, 1) == Frame(frame.begin() + 1, frame.begin() + 2));
  CHECK(machine.bytes_at(data + 0x300, 58) == Frame(frame.begin() + 2, frame.end()));
}

TEST_CASE("without a buffer a frame waits, until the driver gives one and rings", "[virtio-net]") {
  NetMachine machine(GENERATE(std::uint64_t{0}, mergeable), {}, either_layout());
  const Frame frame = frame_to(to_device);
  const unsigned before = machine.network.rooms;
  CHECK_FALSE(machine.device.receive({}, frame));
  CHECK(machine.receive->device_listens());
  machine.give(data, 2000);
  CHECK(machine.network.rooms == before + 1);
  CHECK(machine.device.receive({}, frame));
  CHECK_FALSE(machine.receive->device_listens());  // the driver need not ring while there are buffers
  CHECK_FALSE(machine.device.receive({}, frame));
}

TEST_CASE("mergeable buffers take as much of a frame as they hold, and their count is told", "[virtio-net]") {
  NetMachine machine(mergeable, {}, either_layout());
  for (unsigned i = 0; i < 5; ++i) machine.give(data + i * 0x1000, 100);
  const Frame frame = frame_to(to_device, 300);
  CHECK(machine.device.receive({}, frame));
  CHECK(machine.receive->take_used()->written == 100);
  CHECK(machine.receive->take_used()->written == 100);
  CHECK(machine.receive->take_used()->written == 100);
  CHECK(machine.receive->take_used()->written == 12);
  CHECK_FALSE(machine.receive->take_used());
  CHECK(machine.memory.load<std::uint16_t>(data + 10) == 4);
  CHECK(machine.bytes_at(data + 12, 88) + machine.bytes_at(data + 0x1000, 100) +
            machine.bytes_at(data + 0x2000, 100) + machine.bytes_at(data + 0x3000, 12) ==
        frame);
  // The fifth is there for the next.
  CHECK(machine.device.receive({}, frame_to(to_device, 88)));
  CHECK(machine.receive->take_used()->written == 100);
  CHECK(machine.memory.load<std::uint16_t>(data + 0x4000 + 10) == 1);
}

TEST_CASE("a frame waits until there are mergeable buffers for all of it; none is used before",
          "[virtio-net]") {
  NetMachine machine(mergeable, {}, either_layout());
  const Frame frame = frame_to(to_device, 300);
  for (unsigned i = 0; i < 3; ++i) {
    CHECK_FALSE(machine.device.receive({}, frame));
    CHECK_FALSE(machine.receive->take_used());
    CHECK(machine.receive->device_listens());
    machine.give(data + i * 0x1000, 100);
  }
  // A shorter one finds room in those that are there.
  CHECK(machine.device.receive({}, frame_to(to_device, 100)));
  CHECK(machine.receive->take_used()->written == 100);
  CHECK(machine.receive->take_used()->written == 12);
  CHECK_FALSE(machine.device.receive({}, frame));
  for (unsigned i = 3; i < 6; ++i) machine.give(data + i * 0x1000, 100);
  CHECK(machine.device.receive({}, frame));
}

TEST_CASE("a frame longer than all buffers that the queue has entries for is dropped; they are kept",
          "[virtio-net]") {
  NetMachine machine(mergeable, {}, either_layout());
  for (int turn = 0; turn < 5; ++turn) {
    for (unsigned i = 0; i < 16; ++i) machine.receive->add({writable_room(data + i * 0x1000, 0x1000)});
    CHECK(machine.device.receive({}, frame_to(to_device, 16 * 0x1000 - 11)));
    CHECK_FALSE(machine.receive->take_used());
    CHECK(machine.device.receive({}, frame_to(to_device, 16 * 0x1000 - 12)));
    for (unsigned i = 0; i < 16; ++i) CHECK(machine.receive->take_used()->written == 0x1000);
    CHECK_FALSE(machine.receive->take_used());
  }
  CHECK(machine.operation("receives dropped") == 5);
}

TEST_CASE("a frame longer than a buffer that is not mergeable is dropped, and the buffer kept",
          "[virtio-net]") {
  NetMachine machine(0, {}, either_layout());
  machine.give(data, 100);
  CHECK(machine.device.receive({}, frame_to(to_device, 89)));
  CHECK_FALSE(machine.receive->take_used());
  CHECK(machine.operation("receives dropped") == 1);
  CHECK(machine.device.receive({}, frame_to(to_device, 88)));
  CHECK(machine.receive->take_used()->written == 100);
}

TEST_CASE("a receive buffer without room for the header breaks the device", "[virtio-net]") {
  NetMachine machine(GENERATE(std::uint64_t{0}, mergeable));
  machine.give(data, 11);
  CHECK_FALSE(machine.device.receive({}, frame_to(to_device)));
  CHECK((machine.driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0);
  CHECK(std::string(machine.transport.fault()) == "a receive buffer that is shorter than the header");
  CHECK(machine.bytes_at(data, 11) == Frame(11));
  machine.bring_up(0);
  machine.give(data, 100);
  CHECK(machine.device.receive({}, frame_to(to_device)));
}

TEST_CASE("a receive buffer that is only readable breaks the device", "[virtio-net]") {
  NetMachine machine;
  machine.receive->add({{data, 2000, false}});
  CHECK_FALSE(machine.device.receive({}, frame_to(to_device)));
  CHECK((machine.driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0);
}

TEST_CASE("before the driver is ready and after a reset, frames are gone", "[virtio-net]") {
  NetMachine machine(mergeable);
  machine.give(data, 100);
  CHECK_FALSE(machine.device.receive({}, frame_to(to_device, 200)));  // keeps the buffer
  const unsigned before = machine.network.rooms;
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK(machine.network.rooms > before);
  CHECK(machine.device.receive({}, frame_to(to_device)));
  CHECK(machine.bytes_at(data, 100) == Frame(100));
  machine.bring_up(mergeable);
  machine.give(data, 100);
  CHECK(machine.device.receive({}, frame_to(to_device)));
  CHECK(machine.receive->take_used()->written == 72);
}

TEST_CASE("a receive queue that is made unready gets back what was kept of it", "[virtio-net]") {
  NetMachine machine(mergeable, {}, either_layout());
  machine.give(data, 100);
  CHECK_FALSE(machine.device.receive({}, frame_to(to_device, 200)));
  machine.driver.write(VIRTIO_MMIO_QUEUE_SEL, NetDevice::receive_queue);
  machine.driver.write(VIRTIO_MMIO_QUEUE_READY, 0);
  CHECK(machine.driver.read(VIRTIO_MMIO_QUEUE_READY) == 0);
  CHECK_FALSE(machine.device.receive({}, frame_to(to_device)));
  CHECK(machine.bytes_at(data, 100) == Frame(100));
}

TEST_CASE("while another queue is made unready, the receive queue loses nothing", "[virtio-net]") {
  NetMachine machine(mergeable, {}, either_layout());
  machine.give(data, 100);
  machine.give(data + 0x1000, 100);
  CHECK_FALSE(machine.device.receive({}, frame_to(to_device, 300)));  // keeps both
  machine.driver.write(VIRTIO_MMIO_QUEUE_SEL, NetDevice::transmit_queue);
  machine.driver.write(VIRTIO_MMIO_QUEUE_READY, 0);
  CHECK_FALSE(machine.receive->take_used());
  CHECK(machine.device.receive({}, frame_to(to_device, 150)));
  CHECK(machine.receive->take_used()->written == 100);
  CHECK(machine.receive->take_used()->written == 62);
}

TEST_CASE("what the driver takes undone is asked of the network, and given up at a reset", "[virtio-net]") {
  NetMachine machine(feature(VIRTIO_NET_F_GUEST_CSUM) | feature(VIRTIO_NET_F_GUEST_TSO4), every_offload);
  CHECK(machine.network.accepted == NetworkOffloads{.checksum = true, .tso4 = true});
  machine.driver.write(VIRTIO_MMIO_STATUS, 0);
  CHECK(machine.network.accepted == NetworkOffloads{});
  machine.bring_up(feature(VIRTIO_NET_F_GUEST_TSO4));  // which needs GUEST_CSUM (5.1.3.1)
  CHECK(machine.network.accepted == NetworkOffloads{});
}

TEST_CASE("frames that leave to the driver what it does not take are dropped", "[virtio-net]") {
  NetMachine machine(feature(VIRTIO_NET_F_GUEST_CSUM) | feature(VIRTIO_NET_F_GUEST_TSO4), every_offload);
  for (unsigned i = 0; i < 4; ++i) machine.give(data + i * 0x1000, 2000);
  FrameHeader header{.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                     .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
                     .hdr_len = 74,
                     .gso_size = 1428,
                     .csum_start = 54,
                     .csum_offset = 16,
                     .num_buffers = 0};
  CHECK(machine.device.receive(header, frame_to(to_device)));
  CHECK_FALSE(machine.receive->take_used());
  CHECK(machine.operation("receives dropped") == 1);
  header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
  CHECK(machine.device.receive(header, frame_to(to_device)));
  CHECK(machine.receive->take_used());
  CHECK(machine.bytes_at(data, 12) == bytes({1, 1, 74, 0, 0x94, 0x05, 54, 0, 16, 0, 1, 0}));
}

TEST_CASE("a checksum that the host has seen valid is told only to a driver that negotiated it",
          "[virtio-net]") {
  FrameHeader header{};
  header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
  NetMachine without;
  without.give(data, 2000);
  CHECK(without.device.receive(header, frame_to(to_device)));
  CHECK(without.bytes_at(data, 1) == bytes({0}));
  NetMachine with(feature(VIRTIO_NET_F_GUEST_CSUM), every_offload);
  with.give(data, 2000);
  CHECK(with.device.receive(header, frame_to(to_device)));
  CHECK(with.bytes_at(data, 1) == bytes({VIRTIO_NET_HDR_F_DATA_VALID}));
}

namespace {

/// Whether the driver gets a frame to `destination`.
bool gets(NetMachine& machine, const std::vector<unsigned>& destination) {
  machine.give(data + 0x5'0000, 2000);
  REQUIRE(machine.device.receive({}, frame_to(destination)));
  if (machine.receive->take_used()) return true;
  // The buffer is for the next frame.
  REQUIRE(machine.device.receive({}, frame_to(to_all)));
  REQUIRE(machine.receive->take_used());
  return false;
}

}  // namespace

TEST_CASE("a driver that does not set the filter gets every frame", "[virtio-net]") {
  NetMachine machine;
  for (const auto& destination : {to_device, to_other, to_group, to_all}) CHECK(gets(machine, destination));
}

TEST_CASE("frames for the device's address and for all pass the filter", "[virtio-net]") {
  NetMachine machine(control, every_offload);
  CHECK(gets(machine, to_device));
  CHECK(gets(machine, to_all));
  CHECK_FALSE(gets(machine, to_other));
  CHECK_FALSE(gets(machine, to_group));
}

TEST_CASE("the receive modes are set and cleared by commands of class RX", "[virtio-net]") {
  NetMachine machine(control, every_offload);
  CHECK(machine.command(bytes({0, 0, 1})) == VIRTIO_NET_OK);  // PROMISC
  CHECK(gets(machine, to_other));
  CHECK(gets(machine, to_group));
  CHECK(machine.command(bytes({0, 0, 0})) == VIRTIO_NET_OK);
  CHECK_FALSE(gets(machine, to_other));
  CHECK(machine.command(bytes({0, 1, 1})) == VIRTIO_NET_OK);  // ALLMULTI
  CHECK(gets(machine, to_group));
  CHECK_FALSE(gets(machine, to_other));
  CHECK(machine.command(bytes({0, 2, 1})) == VIRTIO_NET_OK);  // ALLUNI
  CHECK(gets(machine, to_other));
  CHECK(machine.command(bytes({0, 3, 1})) == VIRTIO_NET_OK);  // NOMULTI
  CHECK_FALSE(gets(machine, to_group));
  CHECK(machine.command(bytes({0, 4, 1})) == VIRTIO_NET_OK);  // NOUNI
  CHECK_FALSE(gets(machine, to_device));
  CHECK(machine.command(bytes({0, 5, 1})) == VIRTIO_NET_OK);  // NOBCAST
  machine.give(data + 0x5'0000, 2000);
  CHECK(machine.device.receive({}, frame_to(to_all)));
  CHECK_FALSE(machine.receive->take_used());
}

TEST_CASE("the address tables let more addresses through, until they are set again or overflow",
          "[virtio-net]") {
  NetMachine machine(control, every_offload);
  CHECK(machine.command(bytes({1, 0}) + table({to_other}) + table({to_group})) == VIRTIO_NET_OK);
  CHECK(gets(machine, to_other));
  CHECK(gets(machine, to_group));
  CHECK(machine.command(bytes({1, 0}) + table({}) + table({})) == VIRTIO_NET_OK);
  CHECK_FALSE(gets(machine, to_other));
  CHECK_FALSE(gets(machine, to_group));
  const std::vector<std::vector<unsigned>> full(ReceiveFilter::Table::capacity, to_device);
  CHECK(machine.command(bytes({1, 0}) + table(full) + table({})) == VIRTIO_NET_OK);
  CHECK_FALSE(gets(machine, to_other));
  auto too_many = full;
  too_many.push_back(to_device);
  CHECK(machine.command(bytes({1, 0}) + table(too_many) + table({})) == VIRTIO_NET_OK);
  CHECK(gets(machine, to_other));
  CHECK_FALSE(gets(machine, to_group));
}

TEST_CASE("address tables that are not there whole are refused, and the ones before stay", "[virtio-net]") {
  NetMachine machine(control, every_offload);
  REQUIRE(machine.command(bytes({1, 0}) + table({to_other}) + table({})) == VIRTIO_NET_OK);
  CHECK(machine.command(bytes({1, 0})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({1, 0}) + table({})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({1, 0, 1, 0, 0, 0, 2, 2, 2, 2, 2})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({1, 0, 0xff, 0xff, 0xff, 0xff}) + table({})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({1, 0}) + table({}) + bytes({0xff, 0xff, 0xff, 0x7f})) == VIRTIO_NET_ERR);
  CHECK(gets(machine, to_other));
}

TEST_CASE("the driver may set another address, until a reset", "[virtio-net]") {
  NetMachine machine(control, every_offload);
  CHECK(machine.command(bytes({1, 1}) + bytes(to_other)) == VIRTIO_NET_OK);
  CHECK(gets(machine, to_other));
  CHECK_FALSE(gets(machine, to_device));
  CHECK(machine.command(bytes({1, 1, 2, 2, 2, 2, 2})) == VIRTIO_NET_ERR);
  machine.bring_up(control);
  CHECK(gets(machine, to_device));
  CHECK_FALSE(gets(machine, to_other));
}

TEST_CASE("the driver may take less undone than it negotiated, and no more", "[virtio-net]") {
  NetMachine machine(control | feature(VIRTIO_NET_F_GUEST_CSUM) | feature(VIRTIO_NET_F_GUEST_TSO4),
                     every_offload);
  CHECK(machine.command(bytes({5, 0, 2, 0, 0, 0, 0, 0, 0, 0})) == VIRTIO_NET_OK);  // GUEST_CSUM
  CHECK(machine.network.accepted == NetworkOffloads{.checksum = true});
  CHECK(machine.command(bytes({5, 0, 2, 4, 0, 0, 0, 0, 0, 0})) == VIRTIO_NET_ERR);  // and GUEST_UFO
  CHECK(machine.command(bytes({5, 0, 2})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({5, 1, 2, 0, 0, 0, 0, 0, 0, 0})) == VIRTIO_NET_ERR);
  CHECK(machine.network.accepted == NetworkOffloads{.checksum = true});
}

TEST_CASE("commands that do not exist, are cut short or were not negotiated are refused", "[virtio-net]") {
  NetMachine machine(control, every_offload);
  for (const auto& command : {bytes({0}), bytes({0, 0}), bytes({0, 6, 1}), bytes({1, 2, 0, 0, 0, 0, 0, 0}),
                              bytes({2, 0, 0, 0}), bytes({4, 0, 1, 0}), bytes({0xff, 0xff})}) {
    CHECK(machine.command(command) == VIRTIO_NET_ERR);
  }
  machine.bring_up(feature(VIRTIO_NET_F_CTRL_VQ));
  CHECK(machine.command(bytes({0, 0, 1})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({0, 2, 1})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({1, 0}) + table({}) + table({})) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({1, 1}) + bytes(to_other)) == VIRTIO_NET_ERR);
  CHECK(machine.command(bytes({5, 0, 0, 0, 0, 0, 0, 0, 0, 0})) == VIRTIO_NET_ERR);
}

TEST_CASE("a command without room for its answer breaks the device", "[virtio-net]") {
  NetMachine machine(control, every_offload);
  machine.control_queue->add({machine.readable(data, bytes({0, 0, 1}))});
  machine.driver.notify(NetDevice::control_queue);
  CHECK((machine.driver.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0);
  machine.bring_up(control);
  CHECK(machine.command(bytes({0, 0, 1})) == VIRTIO_NET_OK);
}

TEST_CASE("frames shorter than an Ethernet header are dropped", "[virtio-net]") {
  NetMachine machine;
  machine.give(data, 2000);
  CHECK(machine.device.receive({}, Frame(13)));
  CHECK_FALSE(machine.receive->take_used());
  CHECK(machine.operation("receives dropped") == 1);
}
