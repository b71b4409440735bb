/// A network in the test's hand: what the card sends is written down, and frames for it are offered when the
/// test says so, on its own thread.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "devices/network_backend.hpp"

namespace kvmbench::test {

class FakeNetwork final : public NetworkBackend {
 public:
  struct Sent {
    FrameHeader header{};
    std::vector<std::byte> bytes;
  };

  bool send(const OutgoingFrame& frame) noexcept override {
    if (!takes) return false;
    std::vector<std::byte> bytes(frame.size());
    static_cast<void>(copy_frame(frame, bytes));
    sent.push_back({frame.header, std::move(bytes)});
    return true;
  }
  void room() noexcept override { ++rooms; }
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return can; }
  void accept_offloads(const NetworkOffloads& offloads) noexcept override { accepted = offloads; }
  [[nodiscard]] bool link_up() const noexcept override { return up; }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return most; }
  void start(FrameReceiver&) override {}
  void stop() noexcept override {}

  std::vector<Sent> sent;
  unsigned rooms = 0;
  bool takes = true;
  bool up = true;
  std::uint16_t most = 0;
  NetworkOffloads can;
  NetworkOffloads accepted;
};

inline constexpr NetworkOffloads every_offload{
    .checksum = true, .tso4 = true, .tso6 = true, .ecn = true, .ufo = true};

/// A frame to `destination` whose bytes tell their place.
inline std::vector<std::byte> frame_to(const std::vector<unsigned>& destination, std::size_t size = 60) {
  std::vector<std::byte> frame(size);
  for (std::size_t i = 0; i < size; ++i) {
    frame[i] = static_cast<std::byte>(i < destination.size() ? destination[i] : i % 251);
  }
  return frame;
}

}  // namespace kvmbench::test
