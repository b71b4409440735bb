#include "devices/virtio/entropy_device.hpp"

#include <linux/virtio_ids.h>

#include <utility>

namespace kvmbench::virtio {

EntropyDevice::EntropyDevice(std::string name, const GuestMemory& memory, EntropySource& source)
    : VirtioDevice(std::move(name), VIRTIO_ID_RNG, memory, {queue_size}), source_(source) {}

void EntropyDevice::process(unsigned number) {
  queue(number).drain(chain_, [this](Chain& chain) { serve(chain); });
}

void EntropyDevice::serve(Chain& chain) noexcept {
  // 5.4.6.1: the driver gives only buffers to write to; one byte at least comes back (5.4.6.2).
  if (chain.readable.size() != 0 || chain.writable.size() == 0) {
    queue(0).fail("a request for entropy that is not for writing to");
    queue(0).complete(chain, 0);
    return;
  }
  std::uint32_t filled = 0;
  chain.writable.visit(0, most_at_once, [&](std::span<std::byte> piece) {
    filled += static_cast<std::uint32_t>(source_.fill(piece));
  });
  bytes_.fetch_add(filled, std::memory_order_relaxed);
  queue(0).complete(chain, filled);
}

std::vector<Operation> EntropyDevice::operations() const {
  return {{"bytes", bytes_.load(std::memory_order_relaxed)}};
}

}  // namespace kvmbench::virtio
