/// One virtio device of the machine: its registers, its doorbells, and the thread that serves it.
///
/// A doorbell is an eventfd a queue. With kick=ioeventfd KVM itself writes it when the guest writes
/// QueueNotify, without an exit to this program; with kick=exit the write comes back as an MMIO exit, and the
/// vCPU writes the eventfd. Either way the device's own thread does the work, so that no vCPU waits for the
/// host.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"
#include "devices/virtio/mmio_transport.hpp"
#include "memory/guest_memory.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// How a virtio device is connected.
struct VirtioOptions {
  enum class Kick { ioeventfd, exit };

  Kick kick = Kick::ioeventfd;
  virtio::RingOptions ring;
};

/// A virtio device that a machine is to have.
struct VirtioAttachment {
  /// Called once, while the machine is built; what the device refers to must outlive the machine.
  std::function<std::unique_ptr<virtio::VirtioDevice>(const GuestMemory&)> make;
  VirtioOptions options;
};

class VirtioSlot final : private virtio::Doorbell {
 public:
  /// Makes the device and its doorbells, for registers at `base`. Before the interrupt controllers are there:
  /// each ioeventfd later costs milliseconds. Throws HostError.
  VirtioSlot(const Vm& vm, const GuestMemory& memory, const VirtioAttachment& attachment, Gpa base);
  VirtioSlot(const VirtioSlot&) = delete;
  VirtioSlot& operator=(const VirtioSlot&) = delete;
  ~VirtioSlot() override;

  /// Connects the registers to `line` and begins to serve. Once.
  void start(InterruptLine& line);
  /// After start().
  [[nodiscard]] virtio::MmioTransport& transport() noexcept { return *transport_; }
  [[nodiscard]] virtio::VirtioDevice& device() noexcept { return *device_; }

  /// The vCPUs have stopped: serves what they have rung for, waits until nothing is in flight any more, and
  /// ends the thread. Again: nothing.
  void finish() noexcept;

 private:
  // Doorbell
  void ring(unsigned queue) noexcept override;
  void look_later() noexcept override;
  void watch(int fd, std::uint64_t number) const;
  void run() noexcept;
  void serve(unsigned queue) noexcept;
  void time_is_up() noexcept;

  const VirtioOptions options_;
  std::unique_ptr<virtio::VirtioDevice> device_;
  std::vector<UniqueFd> doorbells_;
  UniqueFd timer_;  ///< for what is held back
  std::atomic<bool> timer_armed_{false};
  UniqueFd stop_;
  UniqueFd events_;  ///< epoll set of all of them
  std::optional<virtio::MmioTransport> transport_;
  std::thread thread_;
};

}  // namespace kvmbench
