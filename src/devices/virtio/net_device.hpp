/// The network device of VIRTIO 1.2, 5.1: one receive queue, one transmit queue, a control queue.
///
/// What frames may leave undone (checksums, segmentation) is what the backend takes; where it takes nothing,
/// nothing is offered and drivers do it all.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "devices/mac_address.hpp"
#include "devices/network_backend.hpp"
#include "devices/network_counters.hpp"
#include "devices/virtio/chain.hpp"
#include "devices/virtio/receive_buffers.hpp"
#include "devices/virtio/receive_filter.hpp"
#include "devices/virtio/virtio_device.hpp"

namespace kvmbench::virtio {

class NetDevice final : public VirtioDevice, public FrameReceiver {
 public:
  /// 5.1.2
  enum Queue : unsigned { receive_queue, transmit_queue, control_queue };
  static constexpr std::uint16_t queue_size = 256;
  static constexpr std::uint16_t control_queue_size = 64;

  /// `backend` outlives this; it is started and stopped by its owner.
  NetDevice(std::string name, const GuestMemory& memory, NetworkBackend& backend, const MacAddress& address);

  [[nodiscard]] std::uint64_t features() const noexcept override { return features_; }
  [[nodiscard]] std::uint32_t config_size() const noexcept override;
  void read_config(std::uint32_t offset, std::span<std::byte> to) noexcept override;
  [[nodiscard]] std::string_view config_name(std::uint64_t offset) const noexcept override;
  void start(std::uint64_t features) override;
  void process(unsigned number) override;
  void cancel() noexcept override;
  void reset() noexcept override;
  [[nodiscard]] std::vector<Operation> operations() const override { return counters_.operations(); }

  // FrameReceiver
  [[nodiscard]] bool receive(const FrameHeader& header, std::span<const std::byte> frame) noexcept override;
  void link_changed() noexcept override { config_changed(); }

 private:
  using Request = Buffers<const std::byte>;

  void transmit();
  [[nodiscard]] bool send(const Request& request) noexcept;
  void control();
  [[nodiscard]] bool obey(const Request& command) noexcept;
  [[nodiscard]] bool set_receive_mode(std::uint8_t command, const Request& request) noexcept;
  [[nodiscard]] bool set_address(std::uint8_t command, const Request& request) noexcept;
  [[nodiscard]] bool set_address_tables(const Request& request) noexcept;
  [[nodiscard]] bool set_guest_offloads(std::uint8_t command, const Request& request) noexcept;

  NetworkBackend& backend_;
  const MacAddress default_address_;
  const std::uint64_t features_;
  NetworkCounters counters_;

  // Between start() and reset() they do not change.
  std::uint64_t negotiated_ = 0;
  NetworkOffloads host_offloads_;

  // The thread's that calls process().
  Chain chain_;
  std::vector<std::span<const std::byte>> pieces_;

  std::mutex receive_mutex_;  // guards all below
  bool started_ = false;
  MacAddress address_;
  NetworkOffloads guest_offloads_;
  ReceiveFilter filter_;
  ReceiveBuffers buffers_;
};

}  // namespace kvmbench::virtio
