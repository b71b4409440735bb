/// --net sink: takes every frame and answers none. The card counts them.
#pragma once

#include "devices/network_backend.hpp"

namespace kvmbench::hostio {

class SinkNetwork final : public NetworkBackend {
 public:
  bool send(const OutgoingFrame& frame) noexcept override { return frame.size() <= max_frame_size; }
  void room() noexcept override {}
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return {}; }
  void accept_offloads(const NetworkOffloads&) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return true; }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return 0; }
  void start(FrameReceiver&) override {}
  void stop() noexcept override {}
};

}  // namespace kvmbench::hostio
