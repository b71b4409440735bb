/// A network whose frames, in both directions, are written to a capture file as they pass.
#pragma once

#include <memory>
#include <string>

#include "devices/network_backend.hpp"
#include "hostio/network/pcap_file.hpp"

namespace kvmbench::hostio {

/// A frame is written before it goes on, by the thread that brings it: an answer never stands before what it
/// answers, what the host drops is there too, and each frame takes longer.
class RecordedNetwork final : public NetworkBackend, private FrameReceiver {
 public:
  RecordedNetwork(std::unique_ptr<NetworkBackend> network, const std::string& path)
      : file_(path), network_(std::move(network)) {}

  bool send(const OutgoingFrame& frame) noexcept override {
    file_.record(frame);
    return network_->send(frame);
  }
  void room() noexcept override { network_->room(); }
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return network_->offloads(); }
  void accept_offloads(const NetworkOffloads& offloads) noexcept override {
    network_->accept_offloads(offloads);
  }
  [[nodiscard]] bool link_up() const noexcept override { return network_->link_up(); }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return network_->mtu(); }
  void start(FrameReceiver& card) override {
    card_ = &card;
    network_->start(*this);
  }
  void stop() noexcept override { network_->stop(); }

 private:
  [[nodiscard]] bool receive(const FrameHeader& header, std::span<const std::byte> frame) noexcept override {
    if (!refused_) file_.record({.header = header, .pieces = std::span(&frame, 1)});
    refused_ = !card_->receive(header, frame);
    return !refused_;
  }
  void link_changed() noexcept override { card_->link_changed(); }

  PcapFile file_;
  FrameReceiver* card_ = nullptr;
  bool refused_ = false;                     // the frame that is offered next is one that was recorded
  std::unique_ptr<NetworkBackend> network_;  // the last, so that its thread ends first
};

}  // namespace kvmbench::hostio
