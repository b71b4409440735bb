/// Any sequence of a driver's register writes, ring contents and doorbells, with the disk's requests served,
/// failed or left waiting in between, does no harm to the virtio block device: what it asks of the storage
/// lies in guest memory and on the disk, and a reset comes to its end.
///
/// The input is a sequence of steps: one byte that says what, then its operands, little-endian.
#define VIRTIO_RING_NO_LEGACY  // its inline functions are no C++
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "devices/interrupt_line.hpp"
#include "devices/virtio/block_device.hpp"
#include "devices/virtio/mmio_transport.hpp"
#include "input.hpp"
#include "memory/guest_memory.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::virtio;
using fuzz::Input;
using fuzz::require;

constexpr std::uint64_t memory_size = 1 << 20;
/// Where the set-up step has the queues and what the driver gives to them; a queue's parts are a page each.
constexpr std::uint64_t queue_base = 0x1000, queue_part = 0x1000, headers = 0x10000, data = 0x20000;
constexpr std::uint16_t queue_entries = 8;

struct Storage final : BlockStorage {
  Storage(const GuestMemory& memory, bool locked)
      : memory_(memory.regions().front().bytes), protected_(locked) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return 1000 * sector_size; }
  [[nodiscard]] bool read_only() const noexcept override { return protected_; }
  void submit(BlockRequest& request) noexcept override {
    using Kind = BlockRequest::Kind;
    require(request.offset % sector_size == 0 && request.length % sector_size == 0);
    require(request.offset <= size() && request.length <= size() - request.offset);
    require(!protected_ || request.kind == Kind::read || request.kind == Kind::flush);
    std::uint64_t given = 0;
    for (const iovec& buffer : request.buffers) {
      const auto* at = static_cast<const std::byte*>(buffer.iov_base);
      require(at >= memory_.data() && at + buffer.iov_len <= memory_.data() + memory_.size());
      given += buffer.iov_len;
    }
    require(given == (request.kind == Kind::read || request.kind == Kind::write ? request.length : 0));
    waiting.push_back(&request);
  }
  [[nodiscard]] bool serve_at_once(BlockRequest& request) noexcept override {
    return request.offset % 1024 == 0;
  }
  void drain() noexcept override {
    while (!waiting.empty()) serve(true);
  }
  void serve(bool succeeds) noexcept {
    if (waiting.empty()) return;
    BlockRequest& request = *waiting.front();
    waiting.pop_front();
    for (const iovec& buffer : request.buffers) {
      if (request.kind == BlockRequest::Kind::read) std::memset(buffer.iov_base, 0x5a, buffer.iov_len);
    }
    request.requester->completed(request, succeeds);
  }

  std::deque<BlockRequest*> waiting;

 private:
  std::span<const std::byte> memory_;
  bool protected_;
};

/// Remembers what was rung for: the device's thread would serve it later.
struct Doorbells final : Doorbell {
  void ring(unsigned queue) noexcept override { rung |= 1u << queue; }
  unsigned rung = 0;
};

struct Machine {
  explicit Machine(std::uint8_t kind)
      : storage(memory, kind % 2 != 0), device("virtio-blk0", memory, storage, "serial", 1 + kind / 2 % 3) {}
  ~Machine() { storage.drain(); }
  GuestMemory memory{memory_size};
  Storage storage;
  UnconnectedLine line;
  Doorbells doorbells;
  BlockDevice device;
  MmioTransport transport{device, line, doorbells, {.packed = true}};
};

void write(Machine& machine, std::uint64_t offset, std::uint32_t value) {
  // A write that stops a queue or resets waits for the storage, which has no thread of its own here.
  const bool stops = offset == VIRTIO_MMIO_STATUS || offset == VIRTIO_MMIO_QUEUE_READY;
  if (stops) machine.storage.drain();
  machine.transport.write(offset, 4, value);
}

void set_up(Machine& machine, std::uint64_t features) {
  write(machine, VIRTIO_MMIO_STATUS, 0);
  write(machine, VIRTIO_MMIO_STATUS, 3);
  write(machine, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
  write(
      machine, VIRTIO_MMIO_DRIVER_FEATURES,
      static_cast<std::uint32_t>(features & machine.device.features()) | (1u << VIRTIO_RING_F_INDIRECT_DESC));
  write(machine, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
  write(machine, VIRTIO_MMIO_DRIVER_FEATURES, 1 | static_cast<std::uint32_t>(features >> 32 & 4));
  write(machine, VIRTIO_MMIO_STATUS, 11);
  for (std::uint32_t number = 0; number < machine.device.queues(); ++number) {
    const auto base = static_cast<std::uint32_t>(queue_base + 3 * queue_part * number);
    write(machine, VIRTIO_MMIO_QUEUE_SEL, number);
    write(machine, VIRTIO_MMIO_QUEUE_NUM, queue_entries);
    write(machine, VIRTIO_MMIO_QUEUE_DESC_LOW, base);
    write(machine, VIRTIO_MMIO_QUEUE_AVAIL_LOW, static_cast<std::uint32_t>(base + queue_part));
    write(machine, VIRTIO_MMIO_QUEUE_USED_LOW, static_cast<std::uint32_t>(base + 2 * queue_part));
    write(machine, VIRTIO_MMIO_QUEUE_READY, 1);
  }
  write(machine, VIRTIO_MMIO_STATUS, 15);
}

/// A request as a driver makes one, of the input's lengths, made available in the split ring of queue 0.
void request(Machine& machine, Input& input) {
  const auto slot = input.take<std::uint8_t>() % 2u * 4u;
  const Gpa header = Gpa{headers + slot * 64};
  const virtio_blk_outhdr wanted{
      .type = input.take<std::uint8_t>() % 16u, .ioprio = 0, .sector = input.take<std::uint16_t>()};
  const auto length = input.take<std::uint16_t>();
  const auto flags = static_cast<std::uint16_t>(input.take<std::uint8_t>() % 4u);
  const Gpa table{queue_base};
  const auto next = [slot](unsigned by) { return static_cast<std::uint16_t>(slot + by); };
  static_cast<void>(machine.memory.store(header, wanted));
  const std::array<vring_desc, 3> chain = {
      {{header.value, sizeof wanted, VRING_DESC_F_NEXT, next(1)},
       {data, length, static_cast<std::uint16_t>(VRING_DESC_F_NEXT | flags), next(2)},
       {headers + 0x1000 + slot, 1, VRING_DESC_F_WRITE, 0}}};
  for (std::size_t i = 0; i < chain.size(); ++i) {
    static_cast<void>(machine.memory.store(table + (slot + i) * sizeof(vring_desc), chain[i]));
  }
  const Gpa available{queue_base + queue_part};
  const std::uint16_t index = machine.memory.load<std::uint16_t>(available + 2).value_or(0);
  static_cast<void>(
      machine.memory.store(available + 4 + index % queue_entries * 2u, static_cast<std::uint16_t>(slot)));
  static_cast<void>(machine.memory.store(available + 2, static_cast<std::uint16_t>(index + 1)));
  machine.transport.process(0);
}

void step(Machine& machine, Input& input) {
  enum : std::uint8_t {
    write_register,
    read_register,
    store,
    start,
    make_request,
    process,
    serve,
    fail,
    steps
  };
  const auto choice = input.take<std::uint8_t>();
  switch (choice % steps) {
    case write_register: {
      const std::uint64_t offset = input.take<std::uint16_t>() % MmioTransport::size;
      const auto value = input.take<std::uint32_t>();
      if (choice / steps % 4 != 0) {
        write(machine, offset & ~std::uint64_t{3}, value);
      } else {
        machine.storage.drain();
        machine.transport.write(offset, 1u << (choice / steps % 4), value);
      }
      break;
    }
    case read_register: {
      const std::uint64_t offset = input.take<std::uint16_t>();
      const unsigned width = 1 + choice / steps % 8;
      require((machine.transport.read(offset, width) & ~all_ones(width)) == 0);
      require(!machine.transport.register_name(offset, Direction::read).empty());
      break;
    }
    case store:
      static_cast<void>(machine.memory.write(Gpa{input.take<std::uint32_t>() % memory_size},
                                             std::as_bytes(input.take_bytes(choice / steps))));
      break;
    case start:
      set_up(machine, input.take<std::uint64_t>());
      break;
    case make_request:
      request(machine, input);
      break;
    case process:
      for (unsigned number = 0; number < machine.device.queues(); ++number) machine.transport.process(number);
      break;
    default:
      machine.storage.serve(choice % steps == serve);
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Input input({bytes, size});
  Machine machine(input.take<std::uint8_t>());
  while (!input.empty()) step(machine, input);
  machine.storage.drain();
  write(machine, VIRTIO_MMIO_STATUS, 0);
  require(machine.transport.read(VIRTIO_MMIO_STATUS, 4) == 0);
  return 0;
}
