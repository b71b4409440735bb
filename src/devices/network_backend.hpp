/// What a network card is connected to: frames out, frames in, the link's state, and what the host's side can
/// be spared of checksums and segmentation. Both cards see this; what is behind it is in src/hostio.
///
/// A frame is an Ethernet frame from the destination address on: without preamble and FCS, and not padded to
/// 60 bytes (a card that must not show its driver less pads it). Two fields tell what is left to do to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "devices/linux_virtio_net.hpp"

namespace kvmbench {

/// The longest frame: an IP packet of 65,535 bytes, a VLAN tag and the Ethernet header.
inline constexpr std::size_t max_frame_size = 65535 + 4 + 14;
/// The longest frame that is one on a wire of MTU 1500, with a VLAN tag.
inline constexpr std::size_t max_standard_frame_size = 1500 + 4 + 14;

/// What is left to do to a frame (VIRTIO 1.2, 5.1.6): all zero for one that is complete. num_buffers means
/// nothing here.
using FrameHeader = virtio_net_hdr_v1;

/// Work on frames that can be left to the other side (VIRTIO 1.2, 5.1.3).
struct NetworkOffloads {
  bool checksum = false;  ///< frames with VIRTIO_NET_HDR_F_NEEDS_CSUM; the others need it
  bool tso4 = false;      ///< VIRTIO_NET_HDR_GSO_TCPV4
  bool tso6 = false;      ///< VIRTIO_NET_HDR_GSO_TCPV6
  bool ecn = false;       ///< VIRTIO_NET_HDR_GSO_ECN with one of the two
  bool ufo = false;       ///< VIRTIO_NET_HDR_GSO_UDP

  friend bool operator==(const NetworkOffloads&, const NetworkOffloads&) = default;
};

/// A frame that goes out, in pieces: they may lie in the guest's memory, which changes while it is read.
struct OutgoingFrame {
  FrameHeader header{};
  std::span<const std::span<const std::byte>> pieces;

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t sum = 0;
    for (const auto piece : pieces) sum += piece.size();
    return sum;
  }
};

/// Copies as much of a frame as there is room for; returns how much that is.
[[nodiscard]] std::size_t copy_frame(const OutgoingFrame& frame, std::span<std::byte> to) noexcept;

/// A card, as its backend sees it. Called on the backend's own thread, never by a call into the backend.
class FrameReceiver {
 public:
  virtual ~FrameReceiver() = default;

  /// Offers a frame of 1 to max_frame_size bytes. False where there is no room for it now: the same frame is
  /// offered again after NetworkBackend::room(). True where the card has taken it, or has no use for it (not
  /// its address, receiver off): then it is gone. `header` asks for no more than accept_offloads() allowed,
  /// but for frames that were under way.
  [[nodiscard]] virtual bool receive(const FrameHeader& header,
                                     std::span<const std::byte> frame) noexcept = 0;

  /// NetworkBackend::link_up() has changed.
  virtual void link_changed() noexcept = 0;
};

/// The host's side of one card. send(), room() and accept_offloads() may be called by any thread, with the
/// card's lock held: none of them calls the card back, waits for it or for anybody, or allocates.
class NetworkBackend {
 public:
  virtual ~NetworkBackend() = default;

  /// Sends a frame that asks for no more than offloads() allows. False where it is dropped: the host takes no
  /// more now, the link is down, or it is longer than max_frame_size.
  virtual bool send(const OutgoingFrame& frame) noexcept = 0;

  /// A receive() that was refused may succeed now. To be called after the lock was taken under which it was
  /// refused (releasing it first is allowed); cheap where none was.
  virtual void room() noexcept = 0;

  /// What frames that the card sends may leave to the host's side; does not change.
  [[nodiscard]] virtual NetworkOffloads offloads() const noexcept = 0;
  /// What frames for the card may leave to it, from now on; at first nothing. No more than offloads() has.
  virtual void accept_offloads(const NetworkOffloads& offloads) noexcept = 0;

  [[nodiscard]] virtual bool link_up() const noexcept = 0;
  /// The longest IP packet that the host's side takes; 0 where it does not say.
  [[nodiscard]] virtual std::uint16_t mtu() const noexcept = 0;

  /// From now on frames are offered to `card`, until stop() returns, which it must before `card` is gone.
  /// Once each. Throws HostError where a thread cannot be made.
  virtual void start(FrameReceiver& card) = 0;
  virtual void stop() noexcept = 0;
};

/// A card without a cable: the link is down, all is dropped.
class UnconnectedNetwork final : public NetworkBackend {
 public:
  bool send(const OutgoingFrame&) noexcept override { return false; }
  void room() noexcept override {}
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return {}; }
  void accept_offloads(const NetworkOffloads&) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return false; }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return 0; }
  void start(FrameReceiver&) override {}
  void stop() noexcept override {}
};

}  // namespace kvmbench
