/// A driver for tests: it sets a device up through the MMIO registers as VIRTIO 1.2, 3.1.1 has it, puts
/// requests into a queue of either layout, and takes the answers out. Broken drivers are made from it by
/// store().
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "devices/virtio/mmio_transport.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::test {

/// A buffer of the driver's in guest memory.
struct GuestBuffer {
  Gpa at;
  std::uint32_t length = 0;
  bool writable = false;
};

struct UsedBuffer {
  std::uint16_t id = 0;
  std::uint32_t written = 0;
};

enum class RingLayout { split, packed };

/// The driver's side of one queue, its parts in memory from `base` on: 64 KiB each for the descriptors, the
/// driver area and the device area.
class DriverQueue final {
 public:
  static constexpr std::uint64_t part = 0x1'0000;

  DriverQueue(GuestMemory& memory, RingLayout layout, Gpa base, std::uint16_t size)
      : memory_(memory), layout_(layout), base_(base), size_(size) {}

  [[nodiscard]] Gpa descriptors() const { return base_; }
  [[nodiscard]] Gpa driver_area() const { return base_ + part; }
  [[nodiscard]] Gpa device_area() const { return base_ + 2 * part; }
  [[nodiscard]] std::uint16_t size() const { return size_; }
  [[nodiscard]] RingLayout layout() const { return layout_; }

  /// Makes a chain available; returns its id. The driver has to know that there is room.
  std::uint16_t add(const std::vector<GuestBuffer>& buffers);
  /// The same by an indirect table, which is written to `table`.
  std::uint16_t add_indirect(const std::vector<GuestBuffer>& buffers, Gpa table);
  /// The next used buffer.
  std::optional<UsedBuffer> take_used();

  /// Whether the device wants a doorbell for what was added since this was last asked (without EVENT_IDX).
  [[nodiscard]] bool device_listens() const;
  /// avail_event (split), or the device's offset and wrap bit (packed).
  [[nodiscard]] std::uint16_t device_event() const;
  void suppress_interrupts(bool suppressed);
  /// used_event (split), or the driver's offset and wrap bit with flags DESC (packed).
  void set_driver_event(std::uint16_t event);

  template <class T>
  void store(Gpa at, T value) {
    if (!memory_.store(at, value)) throw std::out_of_range("test driver");
  }
  template <class T>
  [[nodiscard]] T load(Gpa at) const {
    return memory_.load<T>(at).value();
  }

 private:
  void write_split(std::uint16_t index, const GuestBuffer& buffer, unsigned flags, std::uint16_t next);
  void publish_split(std::uint16_t head);

  GuestMemory& memory_;
  RingLayout layout_;
  Gpa base_;
  std::uint16_t size_;
  std::uint16_t next_ = 0;  ///< split: next free descriptor, taken round and round; packed: offset
  bool wrap_ = true;
  std::uint16_t available_ = 0;  ///< split: index; packed: the next id
  std::uint16_t used_ = 0;
  bool used_wrap_ = true;
  std::map<std::uint16_t, std::uint16_t> lengths_;  ///< packed: descriptors by id
};

class TestDriver final {
 public:
  TestDriver(virtio::MmioTransport& transport, GuestMemory& memory, RingLayout layout = RingLayout::split)
      : transport_(transport), memory_(memory), layout_(layout) {}

  [[nodiscard]] std::uint32_t read(std::uint64_t reg) {
    return static_cast<std::uint32_t>(transport_.read(reg, 4));
  }
  void write(std::uint64_t reg, std::uint32_t value) { transport_.write(reg, 4, value); }
  [[nodiscard]] std::uint64_t device_features();
  [[nodiscard]] std::uint32_t status();

  /// Resets the device and accepts `features` (VERSION_1, and RING_PACKED where the layout is, are added) up
  /// to FEATURES_OK; false where the device does not agree.
  bool negotiate(std::uint64_t features = 0);
  /// Makes queue `number` ready.
  DriverQueue& set_up_queue(unsigned number, std::uint16_t size);
  void driver_ok();
  void notify(unsigned queue);

 private:
  virtio::MmioTransport& transport_;
  GuestMemory& memory_;
  RingLayout layout_;
  std::map<unsigned, DriverQueue> queues_;
};

/// Serves the queue at once, on the thread that rings.
class InlineDoorbell final : public virtio::Doorbell {
 public:
  void connect(virtio::MmioTransport& transport) { transport_ = &transport; }
  void ring(unsigned queue) noexcept override {
    ++rings;
    if (transport_ != nullptr) transport_->process(queue);
  }

  unsigned rings = 0;

 private:
  virtio::MmioTransport* transport_ = nullptr;
};

/// Puts `text` into guest memory and tells where.
inline GuestBuffer readable_text(GuestMemory& memory, Gpa at, std::string_view text) {
  if (!memory.write(at, std::as_bytes(std::span(text)))) throw std::out_of_range("test driver");
  return {at, static_cast<std::uint32_t>(text.size()), false};
}
inline GuestBuffer writable_room(Gpa at, std::uint32_t length) {
  return {at, length, true};
}
inline std::string text_at(const GuestMemory& memory, Gpa at, std::size_t length) {
  std::string text(length, '\0');
  if (!memory.read(at, std::as_writable_bytes(std::span(text)))) throw std::out_of_range("test driver");
  return text;
}

}  // namespace kvmbench::test
