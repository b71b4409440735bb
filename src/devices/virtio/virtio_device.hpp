/// A virtio device (VIRTIO 1.2, chapter 5) without its transport: its kind, its features, its queues, its
/// configuration space, and what it does with a request.
///
/// Life: start() when the driver is ready, process() each time a queue has been rung for, cancel() and then
/// reset() at the end; then start() again. start() and reset() never run beside process() or with a chain in
/// flight. process() runs on a thread of the device's own, never on a vCPU's: it may make system calls, and
/// wait for the host. Whatever else a device does (completions from I/O threads, input from the host) it
/// guards itself; its queues are thread-safe, and give nothing while the device does not run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "devices/device.hpp"
#include "devices/virtio/virtqueue.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::virtio {

/// What a device tells the transport: its queues' events, and its own.
class DeviceEvents : public QueueEvents {
 public:
  /// The configuration space has changed: the driver is told. Any thread.
  virtual void config_changed() noexcept = 0;
};

class VirtioDevice : private QueueEvents {
 public:
  /// `name`: "virtio-blk0". `device_id`: VIRTIO_ID_* of <linux/virtio_ids.h>. `queue_sizes`: one a queue,
  /// powers of two.
  VirtioDevice(std::string name, std::uint32_t device_id, const GuestMemory& memory,
               const std::vector<std::uint16_t>& queue_sizes);
  VirtioDevice(const VirtioDevice&) = delete;
  VirtioDevice& operator=(const VirtioDevice&) = delete;
  ~VirtioDevice() override = default;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint32_t device_id() const noexcept { return device_id_; }
  [[nodiscard]] unsigned queues() const noexcept { return static_cast<unsigned>(queues_.size()); }
  [[nodiscard]] Virtqueue& queue(unsigned number) noexcept { return queues_[number]; }

  /// The device's own feature bits (0 to 23 and 50 to 127 in the specification, here up to 63); those of
  /// queues and transport are the transport's. Never changes.
  [[nodiscard]] virtual std::uint64_t features() const noexcept { return 0; }

  /// Bytes of configuration space. Never changes.
  [[nodiscard]] virtual std::uint32_t config_size() const noexcept { return 0; }
  /// Fills `to` from `offset` on, within config_size(). vCPU threads, at any time, also while the device does
  /// not run.
  virtual void read_config(std::uint32_t /*offset*/, std::span<std::byte> /*to*/) noexcept {}
  /// A driver's write, within config_size(). As above.
  virtual void write_config(std::uint32_t /*offset*/, std::span<const std::byte> /*from*/) noexcept {}
  /// The field at `offset` ("capacity"), as the specification names it; "" where it names none.
  [[nodiscard]] virtual std::string_view config_name(std::uint64_t /*offset*/) const noexcept { return {}; }

  /// The driver is ready and has accepted `features`, all bits (transport's too). Short: a vCPU waits.
  virtual void start(std::uint64_t features) = 0;
  /// Takes requests from queue(`number`), for which the driver has rung (or may have: there need not be any).
  /// It leaves the queue listening, unless it will look at it again by itself.
  virtual void process(unsigned number) = 0;
  /// Queues have been stopped (Virtqueue::running()): all, for a reset or for good, or one that was made
  /// unready, and then the device goes on with the others. Chains that it keeps for later of a queue that
  /// does not run are to be given back now, and requests under way as soon as can be. Beside process() and
  /// completions; returns at once.
  virtual void cancel() noexcept {}
  /// Nothing is in flight any more: back to the state before start().
  virtual void reset() noexcept = 0;

  /// Beyond what the transport counts (requests, doorbells, interrupts): "bytes", "packets".
  [[nodiscard]] virtual std::vector<Operation> operations() const { return {}; }

  /// The transport, once, before anything else.
  void connect(DeviceEvents& events) noexcept { events_ = &events; }

 protected:
  void config_changed() noexcept { events_->config_changed(); }

 private:
  void used_buffers() noexcept override { events_->used_buffers(); }
  void look_later() noexcept override { events_->look_later(); }
  void broken(Fault why) noexcept override { events_->broken(why); }

  const std::string name_;
  const std::uint32_t device_id_;
  DeviceEvents* events_ = nullptr;
  std::deque<Virtqueue> queues_;
};

}  // namespace kvmbench::virtio
