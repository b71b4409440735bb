/// virtio over MMIO, version 2 (VIRTIO 1.2, 4.2): the registers between a driver and a VirtioDevice.
///
/// Control registers are read with any width and alignment, by the byte; a write counts only where it is 32
/// bits wide and aligned, as the specification demands of drivers (4.2.2.2). The configuration space takes
/// every width. Writes that come out of order (a queue's size while it runs, features after FEATURES_OK) are
/// dropped.
///
/// Threads: registers belong to vCPU threads, process() and doorbells() to the device's. A write of 0 to
/// Status, and one of 0 to QueueReady, returns when nothing is in flight any more: drivers (Linux's
/// virtio_mmio) free their memory right after it. Only the vCPU that writes it waits; meanwhile others'
/// writes to this device are dropped.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"
#include "devices/virtio/virtio_device.hpp"

namespace kvmbench::virtio {

/// Told of a write to QueueNotify that came as an exit.
class Doorbell {
 public:
  virtual ~Doorbell() = default;
  /// On a vCPU's thread: wakes the thread that calls MmioTransport::process(queue), and returns.
  virtual void ring(unsigned queue) noexcept = 0;
  /// Has that thread call MmioTransport::time_is_up() once Coalescing::timeout has passed from the first of
  /// these calls on. Any thread; with a queue's lock held.
  virtual void look_later() noexcept {}
};

/// Which features of queues are offered, and what notifications are held back.
struct RingOptions {
  bool packed = false;
  bool indirect = true;
  bool event_idx = true;
  Coalescing coalescing{};
};

class MmioTransport final : public Device, private DeviceEvents {
 public:
  static constexpr std::uint64_t size = 0x1000;
  static constexpr std::uint64_t queue_notify = 0x50;  ///< offset of the register that an ioeventfd may take
  static constexpr std::uint32_t vendor_id = 0x424d564b;  // "KVMB"

  /// `line` is driven as InterruptStatus says: high while any bit of it is set. A write to InterruptACK that
  /// leaves bits set takes the line down and up again, so that an edge-triggered controller sees them too.
  MmioTransport(VirtioDevice& device, InterruptLine& line, Doorbell& doorbell, RingOptions options = {});
  /// As shut_down().
  ~MmioTransport() override;

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return device_.name(); }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;
  /// requests, doorbells, interrupts, and the device's own.
  [[nodiscard]] std::vector<Operation> operations() const override;

  /// Has the device serve queue `queue`; nothing while the driver is not ready. On the device's thread, at
  /// each doorbell.
  void process(unsigned queue);
  /// A doorbell has arrived: process(), unless it is held back.
  void rung(unsigned queue);
  /// What was held back has waited long enough. On the device's thread.
  void time_is_up();
  /// Counts `count` doorbells that came past write(), by an ioeventfd.
  void doorbells(std::uint64_t count) noexcept { doorbells_.fetch_add(count, std::memory_order_relaxed); }

  /// What the driver did wrong when the device last came to need a reset; null where it never did.
  [[nodiscard]] Fault fault() const noexcept { return fault_.load(std::memory_order_relaxed); }

  /// The machine ends: stops the queues and waits until nothing is in flight and process() has returned.
  void shut_down() noexcept;

 private:
  /// What a driver has written for a queue; addresses in halves, as it writes them.
  struct QueueRegisters {
    std::uint16_t size = 0;
    bool ready = false;
    std::uint64_t descriptor_area = 0;
    std::uint64_t driver_area = 0;
    std::uint64_t device_area = 0;
  };

  [[nodiscard]] std::uint32_t read_register(std::uint64_t offset) const noexcept;
  [[nodiscard]] std::uint64_t read_config(std::uint64_t offset, unsigned width) noexcept;
  void write_config(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept;
  void write_register(std::unique_lock<std::mutex>& lock, std::uint64_t offset, std::uint32_t value) noexcept;
  void write_queue_register(std::uint64_t offset, std::uint32_t value) noexcept;
  void write_status(std::unique_lock<std::mutex>& lock, std::uint32_t value) noexcept;
  void write_queue_ready(std::unique_lock<std::mutex>& lock, std::uint32_t value) noexcept;
  void start(std::unique_lock<std::mutex>& lock) noexcept;
  void reset(std::unique_lock<std::mutex>& lock) noexcept;
  void quiesce(std::unique_lock<std::mutex>& lock) noexcept;
  void done_waiting() noexcept;
  void stop_queues() noexcept;
  void need_reset(Fault why) noexcept;
  [[nodiscard]] QueueRegisters* selected() noexcept;
  [[nodiscard]] const QueueRegisters* selected() const noexcept;
  [[nodiscard]] std::uint32_t status() const noexcept;
  void acknowledge(std::uint32_t bits) noexcept;
  void raise(std::uint32_t bit) noexcept;

  // DeviceEvents
  void used_buffers() noexcept override;
  void look_later() noexcept override { doorbell_.look_later(); }
  void config_changed() noexcept override;
  void broken(Fault why) noexcept override;

  VirtioDevice& device_;
  InterruptLine& line_;
  Doorbell& doorbell_;
  const std::uint64_t offered_features_;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<QueueRegisters> queues_;
  std::uint32_t queue_sel_ = 0;
  std::uint32_t device_features_sel_ = 0;
  std::uint32_t driver_features_sel_ = 0;
  std::uint64_t driver_features_ = 0;
  std::uint32_t status_ = 0;  ///< without NEEDS_RESET
  bool running_ = false;      ///< between start() and reset()
  bool busy_ = false;         ///< a vCPU starts the device, or waits for what is in flight
  unsigned processing_ = 0;   ///< calls of process() under way

  std::atomic<bool> needs_reset_{false};
  std::atomic<std::uint32_t> config_generation_{0};
  std::atomic<Fault> fault_{nullptr};

  std::mutex interrupt_mutex_;  // taken last
  std::atomic<std::uint32_t> interrupt_status_{0};

  std::atomic<std::uint64_t> doorbells_{0};
  std::atomic<std::uint64_t> interrupts_{0};
};

}  // namespace kvmbench::virtio
