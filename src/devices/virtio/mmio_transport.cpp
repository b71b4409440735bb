#include "devices/virtio/mmio_transport.hpp"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include <array>
#include <utility>

#include "devices/register_access.hpp"

namespace kvmbench::virtio {
namespace {

// Since VIRTIO 1.2; Linux's header has it later.
constexpr std::uint64_t queue_reset = 0x0c0;

constexpr std::uint32_t magic = 0x74726976;  // "virt"
constexpr std::uint32_t version = 2;

constexpr std::uint32_t status_bits = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                                      VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK |
                                      VIRTIO_CONFIG_S_FAILED;

constexpr std::uint64_t bit(unsigned number) {
  return std::uint64_t{1} << number;
}

std::uint64_t ring_features(RingOptions options) {
  std::uint64_t features = bit(VIRTIO_F_VERSION_1);
  if (options.packed) features |= bit(VIRTIO_F_RING_PACKED);
  if (options.indirect) features |= bit(VIRTIO_RING_F_INDIRECT_DESC);
  if (options.event_idx) features |= bit(VIRTIO_RING_F_EVENT_IDX);
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

struct RegisterName {
  std::uint64_t offset;
  const char* name;
};

// 4.2.2, table 4.1.
constexpr std::array<RegisterName, 29> register_names = {{
    {VIRTIO_MMIO_MAGIC_VALUE, "MagicValue"},
    {VIRTIO_MMIO_VERSION, "Version"},
    {VIRTIO_MMIO_DEVICE_ID, "DeviceID"},
    {VIRTIO_MMIO_VENDOR_ID, "VendorID"},
    {VIRTIO_MMIO_DEVICE_FEATURES, "DeviceFeatures"},
    {VIRTIO_MMIO_DEVICE_FEATURES_SEL, "DeviceFeaturesSel"},
    {VIRTIO_MMIO_DRIVER_FEATURES, "DriverFeatures"},
    {VIRTIO_MMIO_DRIVER_FEATURES_SEL, "DriverFeaturesSel"},
    {VIRTIO_MMIO_QUEUE_SEL, "QueueSel"},
    {VIRTIO_MMIO_QUEUE_NUM_MAX, "QueueNumMax"},
    {VIRTIO_MMIO_QUEUE_NUM, "QueueNum"},
    {VIRTIO_MMIO_QUEUE_READY, "QueueReady"},
    {VIRTIO_MMIO_QUEUE_NOTIFY, "QueueNotify"},
    {VIRTIO_MMIO_INTERRUPT_STATUS, "InterruptStatus"},
    {VIRTIO_MMIO_INTERRUPT_ACK, "InterruptACK"},
    {VIRTIO_MMIO_STATUS, "Status"},
    {VIRTIO_MMIO_QUEUE_DESC_LOW, "QueueDescLow"},
    {VIRTIO_MMIO_QUEUE_DESC_HIGH, "QueueDescHigh"},
    {VIRTIO_MMIO_QUEUE_AVAIL_LOW, "QueueDriverLow"},
    {VIRTIO_MMIO_QUEUE_AVAIL_HIGH, "QueueDriverHigh"},
    {VIRTIO_MMIO_QUEUE_USED_LOW, "QueueDeviceLow"},
    {VIRTIO_MMIO_QUEUE_USED_HIGH, "QueueDeviceHigh"},
    {VIRTIO_MMIO_SHM_SEL, "SHMSel"},
    {VIRTIO_MMIO_SHM_LEN_LOW, "SHMLenLow"},
    {VIRTIO_MMIO_SHM_LEN_HIGH, "SHMLenHigh"},
    {VIRTIO_MMIO_SHM_BASE_LOW, "SHMBaseLow"},
    {VIRTIO_MMIO_SHM_BASE_HIGH, "SHMBaseHigh"},
    {queue_reset, "QueueReset"},
    {VIRTIO_MMIO_CONFIG_GENERATION, "ConfigGeneration"},
}};

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

void MmioTransport::write_queue_ready(std::unique_lock<std::mutex>& lock, std::uint32_t value) noexcept {
  QueueRegisters* queue = selected();
  if (queue == nullptr || queue->ready == (value == 1)) return;
  Virtqueue& virtqueue = device_.queue(queue_sel_);
  if (value != 1) {
    virtqueue.stop();
    busy_ = true;
    const bool running = running_;
    lock.unlock();
    if (running) device_.cancel();
    virtqueue.wait_until_idle();
    lock.lock();
    queue->ready = false;
    return done_waiting();
  }
  if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) == 0 || needs_reset_.load(std::memory_order_acquire)) return;
  const RingSettings settings{.size = queue->size,
                              .descriptor_area = Gpa{queue->descriptor_area},
                              .driver_area = Gpa{queue->driver_area},
                              .device_area = Gpa{queue->device_area},
                              .event_idx = (driver_features_ & bit(VIRTIO_RING_F_EVENT_IDX)) != 0,
                              .indirect = (driver_features_ & bit(VIRTIO_RING_F_INDIRECT_DESC)) != 0};
  const bool packed = (driver_features_ & bit(VIRTIO_F_RING_PACKED)) != 0;
  if (const Fault fault = virtqueue.open(settings, packed)) {
    need_reset(fault);
  } else {
    queue->ready = true;
    if (running_) virtqueue.run();
  }
}

void MmioTransport::write_status(std::unique_lock<std::mutex>& lock, std::uint32_t value) noexcept {
  if (value == 0) return reset(lock);
  // A driver sets bits; it clears none but by a reset (2.1.1).
  std::uint32_t added = value & status_bits & ~status_;
  if ((added & VIRTIO_CONFIG_S_FEATURES_OK) != 0) {
    const bool accepted =
        (driver_features_ & ~offered_features_) == 0 && (driver_features_ & bit(VIRTIO_F_VERSION_1)) != 0;
    if (!accepted) added &= ~std::uint32_t{VIRTIO_CONFIG_S_FEATURES_OK};
  }
  const bool may_run =
      ((status_ | added) & VIRTIO_CONFIG_S_FEATURES_OK) != 0 && !needs_reset_.load(std::memory_order_acquire);
  if (!may_run) added &= ~std::uint32_t{VIRTIO_CONFIG_S_DRIVER_OK};
  status_ |= added;
  if ((added & VIRTIO_CONFIG_S_DRIVER_OK) != 0) start(lock);
}

void MmioTransport::start(std::unique_lock<std::mutex>& lock) noexcept {
  busy_ = true;
  lock.unlock();
  device_.start(driver_features_);
  lock.lock();
  running_ = true;
  for (unsigned number = 0; number < queues_.size(); ++number) device_.queue(number).run();
  done_waiting();
  lock.unlock();
  // Requests may lie in the queues already, and what rang for them came too early.
  for (unsigned number = 0; number < queues_.size(); ++number) doorbell_.ring(number);
}

void MmioTransport::reset(std::unique_lock<std::mutex>& lock) noexcept {
  quiesce(lock);
  for (QueueRegisters& queue : queues_) queue = {};
  queue_sel_ = 0;
  device_features_sel_ = 0;
  driver_features_sel_ = 0;
  driver_features_ = 0;
  status_ = 0;
  needs_reset_.store(false, std::memory_order_release);
  const std::lock_guard interrupt_lock(interrupt_mutex_);
  interrupt_status_.store(0, std::memory_order_release);
  line_.set(false);
}

/// Stops the queues and waits until the device is done with what it has, and with itself.
void MmioTransport::quiesce(std::unique_lock<std::mutex>& lock) noexcept {
  const bool was_running = std::exchange(running_, false);
  busy_ = true;
  lock.unlock();
  stop_queues();
  if (was_running) device_.cancel();
  for (unsigned number = 0; number < queues_.size(); ++number) device_.queue(number).wait_until_idle();
  lock.lock();
  idle_.wait(lock, [this] { return processing_ == 0; });
  if (was_running) {
    lock.unlock();
    device_.reset();
    lock.lock();
  }
  done_waiting();
}

void MmioTransport::done_waiting() noexcept {
  busy_ = false;
  idle_.notify_all();
}

void MmioTransport::shut_down() noexcept {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !busy_; });
  quiesce(lock);
}

void MmioTransport::stop_queues() noexcept {
  for (unsigned number = 0; number < queues_.size(); ++number) device_.queue(number).stop();
}

void MmioTransport::rung(unsigned queue) {
  if (device_.queue(queue).rung()) process(queue);
}

void MmioTransport::time_is_up() {
  for (unsigned number = 0; number < queues_.size(); ++number) {
    if (device_.queue(number).time_is_up()) process(number);
  }
}

void MmioTransport::process(unsigned queue) {
  {
    const std::lock_guard lock(mutex_);
    if (!running_ || queue >= queues_.size()) return;
    ++processing_;
  }
  device_.process(queue);
  const std::lock_guard lock(mutex_);
  if (--processing_ == 0) idle_.notify_all();
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

void MmioTransport::used_buffers() noexcept {
  raise(VIRTIO_MMIO_INT_VRING);
}

void MmioTransport::config_changed() noexcept {
  config_generation_.fetch_add(1, std::memory_order_acq_rel);
  bool ready = false;
  {
    const std::lock_guard lock(mutex_);
    ready = (status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0 && !busy_;
  }
  if (ready) raise(VIRTIO_MMIO_INT_CONFIG);
}

void MmioTransport::broken(Fault why) noexcept {
  const std::lock_guard lock(mutex_);
  need_reset(why);
}

/// With the lock held.
void MmioTransport::need_reset(Fault why) noexcept {
  fault_.store(why, std::memory_order_relaxed);
  stop_queues();
  if (needs_reset_.exchange(true, std::memory_order_acq_rel)) return;
  // 2.1.2: a driver that runs is told.
  if ((status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0) raise(VIRTIO_MMIO_INT_CONFIG);
}

void MmioTransport::raise(std::uint32_t bit) noexcept {
  const std::lock_guard lock(interrupt_mutex_);
  if (interrupt_status_.fetch_or(bit, std::memory_order_acq_rel) != 0) return;
  interrupts_.fetch_add(1, std::memory_order_relaxed);
  line_.set(true);
}

void MmioTransport::acknowledge(std::uint32_t bits) noexcept {
  const std::lock_guard lock(interrupt_mutex_);
  const std::uint32_t before = interrupt_status_.fetch_and(~bits, std::memory_order_acq_rel);
  if ((before & bits) == 0) return;
  line_.set(false);
  if ((before & ~bits) == 0) return;
  interrupts_.fetch_add(1, std::memory_order_relaxed);
  line_.set(true);
}

std::string MmioTransport::register_name(std::uint64_t offset, Direction) const {
  for (const RegisterName& entry : register_names) {
    if (offset == entry.offset) return entry.name;
  }
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
