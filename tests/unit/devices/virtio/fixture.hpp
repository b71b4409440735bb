/// A machine of one virtio device and its driver.
#pragma once

#include "../fakes.hpp"
#include "driver.hpp"
#include "echo_device.hpp"

namespace kvmbench::test {

constexpr std::uint64_t event_idx = std::uint64_t{1} << VIRTIO_RING_F_EVENT_IDX;
constexpr std::uint64_t indirect_desc = std::uint64_t{1} << VIRTIO_RING_F_INDIRECT_DESC;

struct EchoMachine {
  static constexpr Gpa data{0x40'0000};

  explicit EchoMachine(RingLayout layout, std::uint64_t features = 0, std::uint16_t size = 8)
      : driver(transport, memory, layout) {
    doorbell.connect(transport);
    negotiated = driver.negotiate(features);
    queue = &driver.set_up_queue(0, size);
    driver.driver_ok();
  }

  GuestMemory memory{8 << 20};
  RecordingLine line;
  InlineDoorbell doorbell;
  EchoDevice device{memory};
  virtio::MmioTransport transport{device, line, doorbell, {.packed = true}};
  TestDriver driver;
  bool negotiated = false;
  DriverQueue* queue = nullptr;
};

}  // namespace kvmbench::test
