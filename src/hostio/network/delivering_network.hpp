/// The NetworkBackend over a FramePort, with a thread that offers the port's frames to the card.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "hostio/network/frame_port.hpp"
#include "hostio/network/wake_event.hpp"

namespace kvmbench::hostio {

/// While the card has no room, nothing more is taken from the port: there the frames wait, or are lost.
class DeliveringNetwork final : public NetworkBackend {
 public:
  explicit DeliveringNetwork(std::unique_ptr<FramePort> port);
  ~DeliveringNetwork() override { stop(); }

  bool send(const OutgoingFrame& frame) noexcept override;
  void room() noexcept override;
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return port_->offloads(); }
  void accept_offloads(const NetworkOffloads& offloads) noexcept override;
  [[nodiscard]] bool link_up() const noexcept override { return port_->link_up(); }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return port_->mtu(); }
  void start(FrameReceiver& card) override;
  void stop() noexcept override;

 private:
  void deliver(FrameReceiver& card) noexcept;
  [[nodiscard]] bool offer(FrameReceiver& card, const IncomingFrame& frame) noexcept;
  void apply_offloads() noexcept;
  void wait(bool refused) noexcept;

  WakeEvent event_;
  std::unique_ptr<FramePort> port_;
  std::atomic<bool> refused_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<unsigned> offloads_ = 0;  // as pack() has them
  unsigned applied_offloads_ = 0;       // the thread's own
  std::thread thread_;
};

}  // namespace kvmbench::hostio
