// The network device between its three kinds of threads: the backend's, which delivers, the device's own,
// which serves queues, and the vCPUs', which reset it at any moment. Under the thread sanitizer above all.
#include <linux/virtio_mmio.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

#include "../fakes.hpp"
#include "devices/virtio/net_device.hpp"
#include "driver.hpp"

using namespace kvmbench;
using namespace kvmbench::test;
using namespace kvmbench::virtio;

namespace {

/// Counts; reads every byte that is sent.
class CountingNetwork final : public NetworkBackend {
 public:
  bool send(const OutgoingFrame& frame) noexcept override {
    unsigned sum = 0;
    for (const auto piece : frame.pieces) {
      for (const std::byte byte : piece) sum += std::to_integer<unsigned>(byte);
    }
    if (sum != 0) ++sent;
    return true;
  }
  void room() noexcept override { ++rooms; }
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return {.checksum = true}; }
  void accept_offloads(const NetworkOffloads&) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return up.load(); }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return 1500; }
  void start(FrameReceiver&) override {}
  void stop() noexcept override {}

  std::atomic<unsigned> sent = 0;
  std::atomic<unsigned> rooms = 0;
  std::atomic<bool> up = true;
};

class NoDoorbell final : public Doorbell {
 public:
  void ring(unsigned) noexcept override {}
};

}  // namespace

TEST_CASE("a network device is reset while frames come and go", "[virtio-net]") {
  constexpr std::uint64_t mergeable = std::uint64_t{1} << VIRTIO_NET_F_MRG_RXBUF;
  constexpr Gpa data{0x40'0000};
  GuestMemory memory(8 << 20);
  UnconnectedLine line;
  NoDoorbell doorbell;
  CountingNetwork network;
  NetDevice device("virtio-net0", memory, network, default_mac_address(0));
  MmioTransport transport(device, line, doorbell, {.packed = true});
  const RingLayout layout = GENERATE(RingLayout::split, RingLayout::packed);
  TestDriver driver(transport, memory, layout);

  std::atomic<bool> done = false;
  std::atomic<unsigned> taken = 0;
  std::thread backend([&] {
    const std::vector<std::byte> frame(1000, std::byte{0xff});
    for (std::size_t size = 60; !done.load(); size = size == 1000 ? 60 : size + 10) {
      if (device.receive({}, std::span(frame).first(size))) ++taken;
      network.up = size % 100 != 0;
      device.link_changed();
    }
  });
  std::thread server([&] {
    while (!done.load()) {
      for (unsigned queue = 0; queue < device.queues(); ++queue) transport.process(queue);
    }
  });

  // All that the driver writes into its memory is there before the device runs, as its threads look at it.
  for (unsigned round = 0; round < 100; ++round) {
    REQUIRE(driver.negotiate(mergeable));
    DriverQueue& receive = driver.set_up_queue(NetDevice::receive_queue, 16);
    DriverQueue& transmit = driver.set_up_queue(NetDevice::transmit_queue, 16);
    for (unsigned i = 0; i < 16; ++i) receive.add({writable_room(data + i * 0x1000, 100 + 50 * i)});
    const std::vector<std::byte> request(12 + 60, std::byte{0});
    REQUIRE(memory.write(data + 0x2'0000, request));
    REQUIRE(memory.store(data + 0x2'0000 + 12, std::uint8_t{1}));
    for (unsigned i = 0; i < 8; ++i) transmit.add({{data + 0x2'0000, 72, false}});
    const unsigned sent_before = network.sent;
    driver.driver_ok();
    if (round % 2 == 0) {
      while (network.sent == sent_before) std::this_thread::yield();
    }
    driver.write(VIRTIO_MMIO_STATUS, 0);
    CHECK(driver.status() == 0);
  }
  done = true;
  backend.join();
  server.join();
  CHECK(network.sent >= 50);
  CHECK(taken > 0);
}
