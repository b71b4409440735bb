#include "devices/virtio/console_device.hpp"

#include <linux/virtio_console.h>

#include <cstddef>
#include <utility>

namespace kvmbench::virtio {
namespace {

constexpr std::size_t emerg_wr_at = offsetof(virtio_console_config, emerg_wr);

std::uint32_t packed(ConsoleDevice::Size size) noexcept {
  return size.columns | std::uint32_t{size.rows} << 16;
}

}  // namespace

ConsoleDevice::ConsoleDevice(std::string name, const GuestMemory& memory, CharacterSink& sink,
                             std::optional<Size> size)
    : VirtioDevice(std::move(name), VIRTIO_ID_CONSOLE, memory, {queue_size, queue_size}),
      sink_(sink),
      has_size_(size.has_value()),
      size_(packed(size.value_or(Size{}))) {}

std::uint64_t ConsoleDevice::features() const noexcept {
  const unsigned size = has_size_ ? 1u << VIRTIO_CONSOLE_F_SIZE : 0u;
  return size | 1u << VIRTIO_CONSOLE_F_EMERG_WRITE;
}

std::uint32_t ConsoleDevice::config_size() const noexcept {
  return sizeof(virtio_console_config);
}

void ConsoleDevice::read_config(std::uint32_t offset, std::span<std::byte> to) noexcept {
  const std::uint32_t size = size_.load(std::memory_order_relaxed);
  const virtio_console_config config{.cols = static_cast<std::uint16_t>(size),
                                     .rows = static_cast<std::uint16_t>(size >> 16),
                                     .max_nr_ports = 1,
                                     .emerg_wr = 0};
  std::memcpy(to.data(), reinterpret_cast<const std::byte*>(&config) + offset, to.size());
}

void ConsoleDevice::write_config(std::uint32_t offset, std::span<const std::byte> from) noexcept {
  if (offset == emerg_wr_at) put(std::to_integer<std::uint8_t>(from[0]));
}

std::string_view ConsoleDevice::config_name(std::uint64_t offset) const noexcept {
  switch (offset) {
    case offsetof(virtio_console_config, cols):
      return "cols";
    case offsetof(virtio_console_config, rows):
      return "rows";
    case offsetof(virtio_console_config, max_nr_ports):
      return "max_nr_ports";
    case emerg_wr_at:
      return "emerg_wr";
    default:
      return {};
  }
}

void ConsoleDevice::start(std::uint64_t) {
  const std::lock_guard lock(receive_mutex_);
  refused_ = true;  // what waits for another port may be for this one now
}

void ConsoleDevice::process(unsigned number) {
  if (number == receiveq) return more_room();
  queue(transmitq).drain(transmitting_, [this](Chain& chain) { transmit(chain); });
}

void ConsoleDevice::transmit(Chain& chain) noexcept {
  chain.readable.visit(0, chain.readable.size(), [this](std::span<const std::byte> piece) {
    for (const std::byte byte : piece) {
      if (!queue(transmitq).running()) return;  // a reset waits for this, and nobody for the rest
      put(std::to_integer<std::uint8_t>(byte));
    }
  });
  queue(transmitq).complete(chain, 0);
}

void ConsoleDevice::put(std::uint8_t byte) noexcept {
  sink_.put(byte);
  sent_.fetch_add(1, std::memory_order_relaxed);
  // Linux prints by the queue in either case, its kernel and its programs: they cannot be told apart.
  if (transmit_observer_ != nullptr) transmit_observer_->transmitted(byte, false);
}

std::size_t ConsoleDevice::receive(std::span<const std::uint8_t> characters) noexcept {
  const std::lock_guard lock(receive_mutex_);
  Virtqueue& queue = this->queue(receiveq);
  std::size_t taken = 0;
  while (taken < characters.size()) {
    if (!queue.pop(receiving_)) {
      if (!queue.listen()) continue;
      refused_ = true;
      break;
    }
    const std::size_t count = receiving_.writable.write(0, std::as_bytes(characters.subspan(taken)));
    if (count == 0) queue.fail("a receive buffer without room");
    queue.push(receiving_, static_cast<std::uint32_t>(count));
    taken += count;
  }
  if (taken > 0) queue.signal();
  received_.fetch_add(taken, std::memory_order_relaxed);
  return taken;
}

void ConsoleDevice::more_room() noexcept {
  {
    const std::lock_guard lock(receive_mutex_);
    if (!std::exchange(refused_, false)) return;
  }
  if (receive_ready_ != nullptr) receive_ready_->receive_ready();
}

void ConsoleDevice::resize(Size size) noexcept {
  if (size_.exchange(packed(size), std::memory_order_relaxed) != packed(size) && has_size_) config_changed();
}

void ConsoleDevice::reset() noexcept {
  const std::lock_guard lock(receive_mutex_);
  refused_ = false;
}

std::vector<Operation> ConsoleDevice::operations() const {
  const std::uint64_t sent = sent_.load(std::memory_order_relaxed);
  const std::uint64_t received = received_.load(std::memory_order_relaxed);
  return {{"bytes", sent + received}, {"bytes sent", sent}, {"bytes received", received}};
}

}  // namespace kvmbench::virtio
