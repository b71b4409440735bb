#include "devices/virtio/virtio_device.hpp"

#include <utility>

namespace kvmbench::virtio {

VirtioDevice::VirtioDevice(std::string name, std::uint32_t device_id, const GuestMemory& memory,
                           const std::vector<std::uint16_t>& queue_sizes)
    : name_(std::move(name)), device_id_(device_id) {
  QueueEvents& events = *this;
  for (const std::uint16_t size : queue_sizes) queues_.emplace_back(memory, size, events);
}

}  // namespace kvmbench::virtio
