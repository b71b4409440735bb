/// --net echo: a network that answers by itself (echo_reply.hpp), for benchmarks without any set-up.
#pragma once

#include "hostio/network/frame_port.hpp"
#include "hostio/network/frame_queue.hpp"

namespace kvmbench::hostio {

class EchoPort final : public FramePort {
 public:
  [[nodiscard]] bool send(const OutgoingFrame& frame) noexcept override;
  [[nodiscard]] bool link_up() const noexcept override { return true; }
  [[nodiscard]] std::optional<IncomingFrame> next() noexcept override;
  [[nodiscard]] Watch watch() noexcept override { return {}; }

 private:
  FrameQueue sent_;  // the frames; the oldest is, once next() gave it out, an answer
  bool given_out_ = false;
};

}  // namespace kvmbench::hostio
