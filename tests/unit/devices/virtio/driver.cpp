#include "driver.hpp"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include "devices/virtio/ring_memory.hpp"

namespace kvmbench::test {
namespace {

constexpr unsigned avail_bit = 1u << VRING_PACKED_DESC_F_AVAIL;
constexpr unsigned used_bit = 1u << VRING_PACKED_DESC_F_USED;

unsigned buffer_flags(const GuestBuffer& buffer) {
  return buffer.writable ? VRING_DESC_F_WRITE : 0u;
}

}  // namespace

void DriverQueue::write_split(std::uint16_t index, const GuestBuffer& buffer, unsigned flags,
                              std::uint16_t next) {
  store(descriptors() + 16u * index,
        vring_desc{.addr = buffer.at.value,
                   .len = buffer.length,
                   .flags = static_cast<std::uint16_t>(flags | buffer_flags(buffer)),
                   .next = next});
}

void DriverQueue::publish_split(std::uint16_t head) {
  store(driver_area() + 4 + 2u * (available_ % size_), head);
  store(driver_area() + 2, ++available_);
}

std::uint16_t DriverQueue::add(const std::vector<GuestBuffer>& buffers) {
  if (layout_ == RingLayout::split) {
    const std::uint16_t head = next_;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const auto following = static_cast<std::uint16_t>((next_ + 1) % size_);
      const bool last = i + 1 == buffers.size();
      write_split(next_, buffers[i], last ? 0u : VRING_DESC_F_NEXT, last ? std::uint16_t{0} : following);
      next_ = following;
    }
    publish_split(head);
    return head;
  }
  const std::uint16_t id = available_++;
  lengths_[id] = static_cast<std::uint16_t>(buffers.size());
  const Gpa first = descriptors() + 16u * next_;
  unsigned first_flags = 0;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const unsigned turn = wrap_ ? avail_bit : used_bit;
    const unsigned flags =
        turn | buffer_flags(buffers[i]) | (i + 1 == buffers.size() ? 0u : VRING_DESC_F_NEXT);
    const Gpa at = descriptors() + 16u * next_;
    vring_packed_desc entry{.addr = buffers[i].at.value, .len = buffers[i].length, .id = id, .flags = 0};
    if (i == 0) {
      first_flags = flags;
      entry.flags = load<std::uint16_t>(at + 14);
    } else {
      entry.flags = static_cast<std::uint16_t>(flags);
    }
    store(at, entry);
    if (++next_ == size_) {
      next_ = 0;
      wrap_ = !wrap_;
    }
  }
  store(first + 14, static_cast<std::uint16_t>(first_flags));  // the first one's flags last (2.8.6)
  return id;
}

std::uint16_t DriverQueue::add_indirect(const std::vector<GuestBuffer>& buffers, Gpa table) {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const Gpa at = table + 16 * i;
    if (layout_ == RingLayout::split) {
      const bool last = i + 1 == buffers.size();
      store(at, vring_desc{.addr = buffers[i].at.value,
                           .len = buffers[i].length,
                           .flags = static_cast<std::uint16_t>(buffer_flags(buffers[i]) |
                                                               (last ? 0u : VRING_DESC_F_NEXT)),
                           .next = static_cast<std::uint16_t>(last ? 0 : i + 1)});
    } else {
      store(at, vring_packed_desc{.addr = buffers[i].at.value,
                                  .len = buffers[i].length,
                                  .id = 0,
                                  .flags = static_cast<std::uint16_t>(buffer_flags(buffers[i]))});
    }
  }
  const GuestBuffer whole{table, static_cast<std::uint32_t>(16 * buffers.size()), false};
  if (layout_ == RingLayout::split) {
    const std::uint16_t head = next_;
    write_split(head, whole, VRING_DESC_F_INDIRECT, 0);
    next_ = static_cast<std::uint16_t>((next_ + 1) % size_);
    publish_split(head);
    return head;
  }
  const Gpa at = descriptors() + 16u * next_;
  const unsigned turn = wrap_ ? avail_bit : used_bit;
  const std::uint16_t id = add({whole});
  store(at + 14, static_cast<std::uint16_t>(turn | VRING_DESC_F_INDIRECT));
  return id;
}

std::optional<UsedBuffer> DriverQueue::take_used() {
  if (layout_ == RingLayout::split) {
    if (load<std::uint16_t>(device_area() + 2) == used_) return std::nullopt;
    const auto element = load<vring_used_elem>(device_area() + 4 + 8u * (used_ % size_));
    ++used_;
    return UsedBuffer{static_cast<std::uint16_t>(element.id), element.len};
  }
  const auto entry = load<vring_packed_desc>(descriptors() + 16u * used_);
  const bool available = (entry.flags & avail_bit) != 0;
  const bool used = (entry.flags & used_bit) != 0;
  if (available != used || used != used_wrap_) return std::nullopt;
  for (std::uint16_t i = lengths_[entry.id]; i > 0; --i) {
    if (++used_ == size_) {
      used_ = 0;
      used_wrap_ = !used_wrap_;
    }
  }
  return UsedBuffer{entry.id, entry.len};
}

bool DriverQueue::device_listens() const {
  const auto flags = load<std::uint16_t>(device_area() + (layout_ == RingLayout::split ? 0 : 2));
  return layout_ == RingLayout::split ? (flags & VRING_USED_F_NO_NOTIFY) == 0
                                      : flags != VRING_PACKED_EVENT_FLAG_DISABLE;
}

std::uint16_t DriverQueue::device_event() const {
  return load<std::uint16_t>(device_area() + (layout_ == RingLayout::split ? 4u + 8u * size_ : 0u));
}

void DriverQueue::suppress_interrupts(bool suppressed) {
  store(driver_area() + (layout_ == RingLayout::split ? 0 : 2), static_cast<std::uint16_t>(suppressed));
}

void DriverQueue::set_driver_event(std::uint16_t event) {
  if (layout_ == RingLayout::split) {
    store(driver_area() + 4 + 2u * size_, event);
  } else {
    store(driver_area(), event);
    store(driver_area() + 2, std::uint16_t{VRING_PACKED_EVENT_FLAG_DESC});
  }
}

std::uint64_t TestDriver::device_features() {
  write(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
  const std::uint64_t high = read(VIRTIO_MMIO_DEVICE_FEATURES);
  write(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
  return high << 32 | read(VIRTIO_MMIO_DEVICE_FEATURES);
}

std::uint32_t TestDriver::status() {
  return read(VIRTIO_MMIO_STATUS);
}

bool TestDriver::negotiate(std::uint64_t features) {
  queues_.clear();
  write(VIRTIO_MMIO_STATUS, 0);
  write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
  write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
  features |= std::uint64_t{1} << VIRTIO_F_VERSION_1;
  if (layout_ == RingLayout::packed) features |= std::uint64_t{1} << VIRTIO_F_RING_PACKED;
  write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
  write(VIRTIO_MMIO_DRIVER_FEATURES, static_cast<std::uint32_t>(features));
  write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
  write(VIRTIO_MMIO_DRIVER_FEATURES, static_cast<std::uint32_t>(features >> 32));
  write(VIRTIO_MMIO_STATUS,
        VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
  return (status() & VIRTIO_CONFIG_S_FEATURES_OK) != 0;
}

DriverQueue& TestDriver::set_up_queue(unsigned number, std::uint16_t size) {
  const Gpa base{0x10'0000 + number * 4 * DriverQueue::part};
  // A queue's memory is zero when it is made ready (2.7, 2.8).
  const std::vector<std::byte> zeros(3 * DriverQueue::part);
  if (!memory_.write(base, zeros)) throw std::out_of_range("test driver");
  queues_.erase(number);
  DriverQueue& queue = queues_.emplace(number, DriverQueue(memory_, layout_, base, size)).first->second;
  write(VIRTIO_MMIO_QUEUE_SEL, number);
  write(VIRTIO_MMIO_QUEUE_NUM, size);
  write(VIRTIO_MMIO_QUEUE_DESC_LOW, static_cast<std::uint32_t>(queue.descriptors().value));
  write(VIRTIO_MMIO_QUEUE_DESC_HIGH, 0);
  write(VIRTIO_MMIO_QUEUE_AVAIL_LOW, static_cast<std::uint32_t>(queue.driver_area().value));
  write(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
  write(VIRTIO_MMIO_QUEUE_USED_LOW, static_cast<std::uint32_t>(queue.device_area().value));
  write(VIRTIO_MMIO_QUEUE_USED_HIGH, 0);
  write(VIRTIO_MMIO_QUEUE_READY, 1);
  return queue;
}

void TestDriver::driver_ok() {
  write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                                VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

void TestDriver::notify(unsigned queue) {
  write(VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

}  // namespace kvmbench::test
