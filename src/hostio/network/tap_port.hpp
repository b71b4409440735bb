/// --net tap=NAME: a tap device of the host's kernel (Documentation/networking/tuntap.rst, <linux/if_tun.h>).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string>

#include "base/unique_fd.hpp"
#include "hostio/network/frame_port.hpp"

namespace kvmbench::hostio {

/// Frames pass with a header that leaves checksums and segmentation to the other side (IFF_VNET_HDR).
class TapPort final : public FramePort {
 public:
  /// Throws UsageError where there is no such device, it is no tap or is in use; HostError where this program
  /// may not use it, or the host has none.
  explicit TapPort(const std::string& name);

  [[nodiscard]] bool send(const OutgoingFrame& frame) noexcept override;
  /// Until the device is removed.
  [[nodiscard]] bool link_up() const noexcept override { return present_.load(std::memory_order_relaxed); }
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return offloads_; }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return mtu_; }
  [[nodiscard]] std::optional<IncomingFrame> next() noexcept override;
  [[nodiscard]] Watch watch() noexcept override { return {.fd = link_up() ? fd_.get() : -1}; }
  void accept_offloads(const NetworkOffloads& offloads) noexcept override;
  [[nodiscard]] std::string notice() const override;

 private:
  void attach();
  void set_up_header();
  void read_properties();

  const std::string name_;
  UniqueFd fd_;
  NetworkOffloads offloads_;
  std::uint16_t mtu_ = 0;
  bool interface_up_ = false;
  std::atomic<bool> present_ = true;
  std::array<std::byte, max_frame_size> frame_;
};

}  // namespace kvmbench::hostio
