#include "devices/virtio/mmio_transport.hpp"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <array>

#include "devices/register_access.hpp"
#include "devices/virtio/features.hpp"
#include "devices/virtio/mmio_registers.hpp"

namespace kvmbench::virtio {
namespace {

constexpr std::uint32_t magic = 0x74726976;  // "virt"
constexpr std::uint32_t version = 2;

std::uint64_t ring_features(RingOptions options) {
  std::uint64_t features = feature(VIRTIO_F_VERSION_1);
  if (options.packed) features |= feature(VIRTIO_F_RING_PACKED);
  if (options.indirect) features |= feature(VIRTIO_RING_F_INDIRECT_DESC);
  if (options.event_idx) features |= feature(VIRTIO_RING_F_EVENT_IDX);
  return features;
}

/// 64 bits as two registers: the half that `select` names, 0 beyond.
std::uint32_t half(std::uint64_t value, std::uint32_t select) noexcept {
  return select > 1 ? 0 : static_cast<std::uint32_t>(value >> (32 * select));
}
void set_half(std::uint64_t& value, std::uint32_t select, std::uint32_t to) noexcept {
  if (select > 1) return;
  value = select == 0 ? (value & ~std::uint64_t{0xffff'ffff}) | to
                      : (value & 0xffff'ffff) | std::uint64_t{to} << 32;
}

}  // namespace

MmioTransport::MmioTransport(VirtioDevice& device, InterruptLine& line, Doorbell& doorbell,
                             RingOptions options)
    : device_(device),
      line_(line),
      doorbell_(doorbell),
      offered_features_(device.features() | ring_features(options)),
      queues_(device.queues()) {
  device.connect(*this);
  for (unsigned number = 0; number < device.queues(); ++number) {
    device.queue(number).coalesce(options.coalescing);
  }
}

MmioTransport::~MmioTransport() {
  shut_down();
}

std::uint64_t MmioTransport::read(std::uint64_t offset, unsigned width) noexcept {
  if (offset >= VIRTIO_MMIO_CONFIG) return read_config(offset - VIRTIO_MMIO_CONFIG, width);
  std::uint64_t result = all_ones(width);
  const std::lock_guard lock(mutex_);
  for (std::uint64_t at = offset & ~std::uint64_t{3}; at < offset + width && at < VIRTIO_MMIO_CONFIG;
       at += 4) {
    result = read_from({at, 4}, read_register(at), offset, width, result);
  }
  return result;
}

void MmioTransport::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  if (offset >= VIRTIO_MMIO_CONFIG) return write_config(offset - VIRTIO_MMIO_CONFIG, width, value);
  if (width != 4 || offset % 4 != 0) return;
  const auto low = static_cast<std::uint32_t>(value);
  // The two that come by the million, without the lock.
  if (offset == VIRTIO_MMIO_QUEUE_NOTIFY) {
    if (low >= queues_.size()) return;
    doorbells(1);
    return doorbell_.ring(low);
  }
  if (offset == VIRTIO_MMIO_INTERRUPT_ACK) return acknowledge(low);
  std::unique_lock lock(mutex_);
  if (!busy_) write_register(lock, offset, low);
}

std::uint64_t MmioTransport::read_config(std::uint64_t offset, unsigned width) noexcept {
  std::uint64_t result = all_ones(width);
  const std::uint64_t size = device_.config_size();
  if (offset >= size) return result;
  std::array<std::byte, 8> bytes{};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(width, size - offset));
  device_.read_config(static_cast<std::uint32_t>(offset), std::span(bytes).first(count));
  for (std::size_t i = 0; i < count; ++i) {
    result &= ~(std::uint64_t{0xff} << (8 * i));
    result |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return result;
}

void MmioTransport::write_config(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  const std::uint64_t size = device_.config_size();
  if (offset >= size) return;
  std::array<std::byte, 8> bytes{};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(width, size - offset));
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
  device_.write_config(static_cast<std::uint32_t>(offset), std::span(bytes).first(count));
}

std::uint32_t MmioTransport::read_register(std::uint64_t offset) const noexcept {
  const QueueRegisters* queue = selected();
  switch (offset) {
    case VIRTIO_MMIO_MAGIC_VALUE:
      return magic;
    case VIRTIO_MMIO_VERSION:
      return version;
    case VIRTIO_MMIO_DEVICE_ID:
      return device_.device_id();
    case VIRTIO_MMIO_VENDOR_ID:
      return vendor_id;
    case VIRTIO_MMIO_DEVICE_FEATURES:
      return half(offered_features_, device_features_sel_);
    case VIRTIO_MMIO_QUEUE_NUM_MAX:
      return queue != nullptr ? device_.queue(queue_sel_).max_size() : 0;
    case VIRTIO_MMIO_QUEUE_READY:
      return queue != nullptr && queue->ready ? 1 : 0;
    case VIRTIO_MMIO_INTERRUPT_STATUS:
      return interrupt_status_.load(std::memory_order_acquire);
    case VIRTIO_MMIO_STATUS:
      return status();
    case VIRTIO_MMIO_SHM_LEN_LOW:
    case VIRTIO_MMIO_SHM_LEN_HIGH:
    case VIRTIO_MMIO_SHM_BASE_LOW:
    case VIRTIO_MMIO_SHM_BASE_HIGH:
      return 0xffff'ffff;  // no such region (4.2.2.1)
    case VIRTIO_MMIO_CONFIG_GENERATION:
      return config_generation_.load(std::memory_order_acquire);
    default:  // reserved or written only
      return 0;
  }
}

void MmioTransport::write_register(std::unique_lock<std::mutex>& lock, std::uint64_t offset,
                                   std::uint32_t value) noexcept {
  switch (offset) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
      device_features_sel_ = value;
      break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
      driver_features_sel_ = value;
      break;
    case VIRTIO_MMIO_DRIVER_FEATURES:
      if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) == 0) {
        set_half(driver_features_, driver_features_sel_, value);
      }
      break;
    case VIRTIO_MMIO_QUEUE_SEL:
      queue_sel_ = value;
      break;
    case VIRTIO_MMIO_QUEUE_READY:
      write_queue_ready(lock, value);
      break;
    case VIRTIO_MMIO_STATUS:
      write_status(lock, value);
      break;
    default:
      write_queue_register(offset, value);
      break;
  }
}

void MmioTransport::write_queue_register(std::uint64_t offset, std::uint32_t value) noexcept {
  QueueRegisters* queue = selected();
  if (queue == nullptr || queue->ready) return;
  switch (offset) {
    case VIRTIO_MMIO_QUEUE_NUM:
      // What does not fit is no size of any queue: 0 is refused when the queue is made ready.
      queue->size = value <= device_.queue(queue_sel_).max_size() ? static_cast<std::uint16_t>(value) : 0;
      break;
    case VIRTIO_MMIO_QUEUE_DESC_LOW:
    case VIRTIO_MMIO_QUEUE_DESC_HIGH:
      set_half(queue->descriptor_area, offset == VIRTIO_MMIO_QUEUE_DESC_HIGH ? 1 : 0, value);
      break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
      set_half(queue->driver_area, offset == VIRTIO_MMIO_QUEUE_AVAIL_HIGH ? 1 : 0, value);
      break;
    case VIRTIO_MMIO_QUEUE_USED_LOW:
    case VIRTIO_MMIO_QUEUE_USED_HIGH:
      set_half(queue->device_area, offset == VIRTIO_MMIO_QUEUE_USED_HIGH ? 1 : 0, value);
      break;
    default:  // reserved or read only
      break;
  }
}

MmioTransport::QueueRegisters* MmioTransport::selected() noexcept {
  return queue_sel_ < queues_.size() ? &queues_[queue_sel_] : nullptr;
}

const MmioTransport::QueueRegisters* MmioTransport::selected() const noexcept {
  return queue_sel_ < queues_.size() ? &queues_[queue_sel_] : nullptr;
}

std::uint32_t MmioTransport::status() const noexcept {
  const std::uint32_t needs_reset =
      needs_reset_.load(std::memory_order_acquire) ? VIRTIO_CONFIG_S_NEEDS_RESET : 0u;
  return status_ | needs_reset;
}

std::string MmioTransport::register_name(std::uint64_t offset, Direction) const {
  if (const std::string_view name = mmio_register_name(offset); !name.empty()) return std::string(name);
  if (offset >= VIRTIO_MMIO_CONFIG) {
    const std::string_view name = device_.config_name(offset - VIRTIO_MMIO_CONFIG);
    if (!name.empty()) return std::string(name);
  }
  return unnamed_register(offset);
}

std::vector<Operation> MmioTransport::operations() const {
  std::uint64_t requests = 0;
  for (unsigned number = 0; number < queues_.size(); ++number) requests += device_.queue(number).completed();
  std::vector<Operation> done{{"requests", requests},
                              {"doorbells", doorbells_.load(std::memory_order_relaxed)},
                              {"interrupts", interrupts_.load(std::memory_order_relaxed)}};
  for (const Operation& operation : device_.operations()) done.push_back(operation);
  return done;
}

}  // namespace kvmbench::virtio
