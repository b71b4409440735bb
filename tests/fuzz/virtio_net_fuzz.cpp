/// Any sequence of a driver's register writes, ring contents and doorbells, and of frames from the network,
/// does no harm to the virtio network device: what it sends lies in guest memory and is no longer than a
/// frame may be, what it asks of the network it was offered, and a reset comes to its end.
///
/// The input is a sequence of steps: one byte that says what, then its operands, little-endian.
#define VIRTIO_RING_NO_LEGACY  // its inline functions are no C++
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "devices/interrupt_line.hpp"
#include "devices/network_backend.hpp"
#include "devices/virtio/mmio_transport.hpp"
#include "devices/virtio/net_device.hpp"
#include "input.hpp"
#include "memory/guest_memory.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::virtio;
using fuzz::Input;
using fuzz::require;

constexpr std::uint64_t memory_size = 1 << 20;
constexpr NetworkOffloads offered{.checksum = true, .tso4 = true, .tso6 = true, .ecn = true, .ufo = false};

/// Where the set-up step has the queues and what the driver gives to them; a queue's parts are a page each.
constexpr std::uint64_t queue_base = 0x1000, queue_part = 0x1000, buffers = 0x10000;
constexpr std::uint16_t queue_entries = 8;

class Network final : public NetworkBackend {
 public:
  explicit Network(const GuestMemory& memory) : memory_(memory.regions().front().bytes) {}

  bool send(const OutgoingFrame& frame) noexcept override {
    const std::size_t size = frame.size();
    require(size != 0 && size <= max_frame_size);
    for (const auto piece : frame.pieces) {
      require(!piece.empty() && piece.data() >= memory_.data() &&
              piece.data() + piece.size() <= memory_.data() + memory_.size());
    }
    require((frame.header.flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0);
    require(frame.header.gso_type != VIRTIO_NET_HDR_GSO_UDP);
    return size % 7 != 0;
  }
  void room() noexcept override {}
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return offered; }
  void accept_offloads(const NetworkOffloads& offloads) noexcept override { require(!offloads.ufo); }
  [[nodiscard]] bool link_up() const noexcept override { return true; }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return 1500; }
  void start(FrameReceiver&) override {}
  void stop() noexcept override {}

 private:
  std::span<const std::byte> memory_;
};

/// Remembers what was rung for: the device's thread would serve it later.
struct Doorbells final : Doorbell {
  void ring(unsigned queue) noexcept override { rung |= 1u << queue; }
  unsigned rung = 0;
};

struct Machine {
  Machine() { doorbells.rung = 0; }
  GuestMemory memory{memory_size};
  Network network{memory};
  UnconnectedLine line;
  Doorbells doorbells;
  NetDevice device{"virtio-net0", memory, network, default_mac_address(0)};
  MmioTransport transport{device, line, doorbells, {.packed = true}};
};

void write(Machine& machine, std::uint64_t reg, std::uint32_t value) {
  machine.transport.write(reg, 4, value);
}

/// What a well-behaved driver does up to DRIVER_OK, so that the steps behind it reach the device.
void set_up(Machine& machine, std::uint64_t features) {
  write(machine, VIRTIO_MMIO_STATUS, 0);
  write(machine, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
  features = (features & (machine.device.features() | std::uint64_t{1} << VIRTIO_F_RING_PACKED |
                          std::uint64_t{3} << VIRTIO_RING_F_INDIRECT_DESC)) |
             std::uint64_t{1} << VIRTIO_F_VERSION_1;
  for (const std::uint32_t half : {0u, 1u}) {
    write(machine, VIRTIO_MMIO_DRIVER_FEATURES_SEL, half);
    write(machine, VIRTIO_MMIO_DRIVER_FEATURES, static_cast<std::uint32_t>(features >> (32 * half)));
  }
  write(machine, VIRTIO_MMIO_STATUS,
        VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
  for (std::uint32_t queue = 0; queue < 3; ++queue) {
    const auto base = static_cast<std::uint32_t>(queue_base + queue * 4 * queue_part);
    write(machine, VIRTIO_MMIO_QUEUE_SEL, queue);
    write(machine, VIRTIO_MMIO_QUEUE_NUM, queue_entries);
    write(machine, VIRTIO_MMIO_QUEUE_DESC_LOW, base);
    write(machine, VIRTIO_MMIO_QUEUE_AVAIL_LOW, base + queue_part);
    write(machine, VIRTIO_MMIO_QUEUE_USED_LOW, base + 2 * queue_part);
    write(machine, VIRTIO_MMIO_QUEUE_READY, 1);
  }
  write(machine, VIRTIO_MMIO_STATUS,
        VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |
            VIRTIO_CONFIG_S_DRIVER_OK);
}

/// A chain of up to four descriptors in a split queue, made available.
void add_chain(Machine& machine, Input& input) {
  const auto choice = input.take<std::uint8_t>();
  const std::uint64_t base = queue_base + choice % 3 * 4 * queue_part;
  const unsigned count = 1 + choice / 3 % 4;
  const auto first = input.take<std::uint8_t>();
  for (unsigned i = 0; i < count; ++i) {
    const auto place = input.take<std::uint16_t>();
    const auto length = input.take<std::uint16_t>();
    const unsigned index = (first + i) % queue_entries;
    const auto flags = input.take<std::uint8_t>();
    const bool last = i + 1 == count;
    const vring_desc descriptor{.addr = buffers + std::uint64_t{place} * 8,
                                .len = length,
                                .flags = static_cast<std::uint16_t>((flags % 8 & ~VRING_DESC_F_NEXT) |
                                                                    (last ? 0 : VRING_DESC_F_NEXT)),
                                .next = static_cast<std::uint16_t>((index + 1) % queue_entries)};
    static_cast<void>(machine.memory.store(Gpa{base + index * sizeof descriptor}, descriptor));
  }
  const Gpa available{base + queue_part};
  const std::uint16_t idx = machine.memory.load<std::uint16_t>(available + 2).value_or(0);
  static_cast<void>(machine.memory.store(available + 4 + 2 * (idx % queue_entries),
                                         static_cast<std::uint16_t>(first % queue_entries)));
  static_cast<void>(machine.memory.store(available + 2, static_cast<std::uint16_t>(idx + 1)));
  write(machine, VIRTIO_MMIO_QUEUE_NOTIFY, choice % 3);
}

void receive(Machine& machine, Input& input) {
  FrameHeader header{};
  header.flags = input.take<std::uint8_t>();
  header.gso_type = input.take<std::uint8_t>();
  std::vector<std::byte> frame(input.take<std::uint16_t>() + std::size_t{1});
  const auto to = input.take<std::uint8_t>();
  for (std::size_t i = 0; i < std::min<std::size_t>(6, frame.size()); ++i) {
    frame[i] = to % 2 == 0 ? static_cast<std::byte>(default_mac_address(0).bytes[i]) : std::byte{to};
  }
  static_cast<void>(machine.device.receive(header, frame));
}

void serve(Machine& machine) {
  for (unsigned queue = 0; queue < 3; ++queue) {
    if ((machine.doorbells.rung >> queue & 1) != 0) machine.transport.process(queue);
  }
  machine.doorbells.rung = 0;
}

void step(Machine& machine, Input& input) {
  enum : std::uint8_t { setup, chain, frame, serve_all, poke, write_register, read_register, link, steps };
  switch (input.take<std::uint8_t>() % steps) {
    case setup:
      set_up(machine, input.take<std::uint64_t>());
      break;
    case chain:
      add_chain(machine, input);
      break;
    case frame:
      receive(machine, input);
      break;
    case serve_all:
      serve(machine);
      break;
    case poke: {
      const std::uint64_t at = input.take<std::uint32_t>() % memory_size;
      const auto bytes = input.take_bytes(input.take<std::uint8_t>());
      static_cast<void>(machine.memory.write(Gpa{at}, std::as_bytes(bytes)));
      break;
    }
    case write_register: {
      const auto width = input.take<std::uint8_t>();
      const auto offset = input.take<std::uint16_t>();
      machine.transport.write(offset % 0x120, 1 + width % 8, input.take<std::uint32_t>());
      break;
    }
    case read_register: {
      const unsigned width = 1 + input.take<std::uint8_t>() % 8;
      require((machine.transport.read(input.take<std::uint16_t>(), width) & ~all_ones(width)) == 0);
      break;
    }
    default:
      machine.device.link_changed();
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  const auto machine = std::make_unique<Machine>();
  while (!input.empty()) step(*machine, input);
  serve(*machine);
  write(*machine, VIRTIO_MMIO_STATUS, 0);
  require((machine->transport.read(VIRTIO_MMIO_STATUS, 4)) == 0);
  return 0;
}
