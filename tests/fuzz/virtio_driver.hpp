/// A hostile driver of one virtio device on MMIO, for fuzz targets: it writes any register at any width, puts
/// anything into memory, and, so that the input gets behind the set-up, sets queues of either layout up and
/// makes chains available in them as a well-behaved driver does.
#pragma once

#define VIRTIO_RING_NO_LEGACY  // its inline functions are no C++
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "devices/interrupt_line.hpp"
#include "devices/virtio/mmio_transport.hpp"
#include "input.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::fuzz {

class VirtioDriver final : private virtio::Doorbell, private InterruptLine {
 public:
  static constexpr std::uint64_t memory_size = 1 << 20;

  VirtioDriver(GuestMemory& memory, virtio::VirtioDevice& device)
      : memory_(memory), queues_(device.queues()), transport_(device, *this, *this, {.packed = true}) {}

  /// One step of any kind.
  void step(Input& input) {
    enum : std::uint8_t {
      set_up,
      split_chain,
      packed_chain,
      notify,
      serve,
      poke,
      write,
      read,
      acknowledge,
      steps
    };
    switch (input.take<std::uint8_t>() % steps) {
      case set_up:
        return set_queues_up(input);
      case split_chain:
        return add_split(input);
      case packed_chain:
        return add_packed(input);
      case notify:
        return write_register(VIRTIO_MMIO_QUEUE_NOTIFY, input.take<std::uint8_t>() % (queues_ + 1));
      case serve:
        return serve_all();
      case poke: {
        const std::uint64_t at = input.take<std::uint32_t>() % memory_size;
        const auto bytes = input.take_bytes(input.take<std::uint8_t>() % 32);
        static_cast<void>(memory_.write(Gpa{at}, std::as_bytes(bytes)));
        return;
      }
      case write: {
        const unsigned width = 1 + input.take<std::uint8_t>() % 8;
        const std::uint64_t offset = input.take<std::uint16_t>() % (VIRTIO_MMIO_CONFIG + 0x20);
        return transport_.write(offset, width, input.take<std::uint32_t>());
      }
      case read: {
        const unsigned width = 1 + input.take<std::uint8_t>() % 8;
        const auto offset = input.take<std::uint16_t>();
        require((transport_.read(offset, width) & ~all_ones(width)) == 0);
        return require(!transport_.register_name(offset, Direction::read).empty());
      }
      default:
        return acknowledge_interrupt();
    }
  }

  /// A reset comes to its end, whatever was before, and leaves the device as new.
  void finish() {
    serve_all();
    write_register(VIRTIO_MMIO_STATUS, 0);
    require(transport_.read(VIRTIO_MMIO_STATUS, 4) == 0);
    require(transport_.read(VIRTIO_MMIO_INTERRUPT_STATUS, 4) == 0);
    require(!level_);
  }

 private:
  static constexpr std::uint64_t ring_base = 0x1000, ring_part = 0x1000, buffers = 0x10000;

  void write_register(std::uint64_t offset, std::uint32_t value) { transport_.write(offset, 4, value); }

  [[nodiscard]] std::uint64_t base_of(unsigned queue) const {
    return ring_base + queue % queues_ * 4 * ring_part;
  }

  void set_queues_up(Input& input) {
    const auto size = static_cast<std::uint8_t>(1 + input.take<std::uint8_t>() % 16);
    const std::uint64_t ring_bits = std::uint64_t{3} << VIRTIO_RING_F_INDIRECT_DESC;
    const auto choice = input.take<std::uint8_t>();
    std::uint64_t features = choice & 0xf;
    if ((choice & 0x10) != 0) features |= std::uint64_t{1} << VIRTIO_F_RING_PACKED;
    if ((choice & 0x20) != 0) features |= ring_bits;
    features |= std::uint64_t{1} << VIRTIO_F_VERSION_1;
    write_register(VIRTIO_MMIO_STATUS, 0);
    for (const std::uint32_t half : {0u, 1u}) {
      write_register(VIRTIO_MMIO_DRIVER_FEATURES_SEL, half);
      write_register(VIRTIO_MMIO_DRIVER_FEATURES, static_cast<std::uint32_t>(features >> (32 * half)));
    }
    const std::uint32_t known =
        VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK;
    write_register(VIRTIO_MMIO_STATUS, known);
    for (unsigned queue = 0; queue < queues_; ++queue) {
      const auto base = static_cast<std::uint32_t>(base_of(queue));
      write_register(VIRTIO_MMIO_QUEUE_SEL, queue);
      write_register(VIRTIO_MMIO_QUEUE_NUM, size);
      write_register(VIRTIO_MMIO_QUEUE_DESC_LOW, base);
      write_register(VIRTIO_MMIO_QUEUE_AVAIL_LOW, base + ring_part);
      write_register(VIRTIO_MMIO_QUEUE_USED_LOW, base + 2 * ring_part);
      write_register(VIRTIO_MMIO_QUEUE_READY, 1);
    }
    write_register(VIRTIO_MMIO_STATUS, known | VIRTIO_CONFIG_S_DRIVER_OK);
    size_ = size;
    next_packed_ = 0;
    wrap_ = true;
  }

  /// A buffer, or a table, mostly in memory.
  [[nodiscard]] static std::uint64_t take_address(Input& input) {
    return buffers + std::uint64_t{input.take<std::uint16_t>()} * 16;
  }

  void add_split(Input& input) {
    const auto choice = input.take<std::uint8_t>();
    const std::uint64_t base = base_of(choice % 4);
    const unsigned count = 1 + choice / 4 % 4;
    const auto first = input.take<std::uint8_t>();
    for (unsigned i = 0; i < count; ++i) {
      const unsigned flags = input.take<std::uint8_t>() & (VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT);
      const bool last = i + 1 == count;
      const vring_desc entry{.addr = take_address(input),
                             .len = input.take<std::uint16_t>(),
                             .flags = static_cast<std::uint16_t>(flags | (last ? 0u : VRING_DESC_F_NEXT)),
                             .next = static_cast<std::uint16_t>((first + i + 1) % size_)};
      static_cast<void>(memory_.store(Gpa{base + (first + i) % size_ * sizeof entry}, entry));
    }
    const Gpa available{base + ring_part};
    const std::uint16_t idx = memory_.load<std::uint16_t>(available + 2).value_or(0);
    static_cast<void>(
        memory_.store(available + 4 + 2 * (idx % size_), static_cast<std::uint16_t>(first % size_)));
    static_cast<void>(memory_.store(available + 2, static_cast<std::uint16_t>(idx + 1)));
  }

  void add_packed(Input& input) {
    const auto choice = input.take<std::uint8_t>();
    const std::uint64_t base = base_of(choice % 4);
    const unsigned count = 1 + choice / 4 % 4;
    for (unsigned i = 0; i < count; ++i) {
      unsigned flags = input.take<std::uint8_t>() & (VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT);
      if (i + 1 < count) flags |= VRING_DESC_F_NEXT;
      flags |= wrap_ ? 1u << VRING_PACKED_DESC_F_AVAIL : 1u << VRING_PACKED_DESC_F_USED;
      const vring_packed_desc entry{.addr = take_address(input),
                                    .len = input.take<std::uint16_t>(),
                                    .id = choice,
                                    .flags = static_cast<std::uint16_t>(flags)};
      static_cast<void>(memory_.store(Gpa{base + next_packed_ * sizeof entry}, entry));
      if (++next_packed_ == size_) {
        next_packed_ = 0;
        wrap_ = !wrap_;
      }
    }
  }

  void serve_all() {
    for (unsigned queue = 0; queue < queues_; ++queue) {
      if ((rung_ >> queue & 1) != 0) transport_.process(queue);
    }
    rung_ = 0;
  }

  void acknowledge_interrupt() {
    const auto status = static_cast<std::uint32_t>(transport_.read(VIRTIO_MMIO_INTERRUPT_STATUS, 4));
    require((status & ~3u) == 0);
    require(level_ == (status != 0));
    write_register(VIRTIO_MMIO_INTERRUPT_ACK, status);
  }

  // Doorbell: the device's thread would serve it later.
  void ring(unsigned queue) noexcept override { rung_ |= 1u << queue; }
  // InterruptLine
  void set(bool asserted) noexcept override { level_ = asserted; }

  GuestMemory& memory_;
  const unsigned queues_;
  bool level_ = false;
  unsigned rung_ = 0;
  unsigned size_ = 1;
  unsigned next_packed_ = 0;
  bool wrap_ = true;
  virtio::MmioTransport transport_;
};

}  // namespace kvmbench::fuzz
