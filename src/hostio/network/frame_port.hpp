/// One kind of host side that a card can have: a tap, a socket, ... It moves frames and knows no thread;
/// DeliveringNetwork makes a NetworkBackend of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "devices/network_backend.hpp"
#include "hostio/network/wake_event.hpp"

namespace kvmbench::hostio {

struct IncomingFrame {
  FrameHeader header{};
  std::span<const std::byte> bytes;
};

class FramePort {
 public:
  /// What poll(2) is to look at; nothing where fd is -1.
  struct Watch {
    int fd = -1;
    bool writable = false;  ///< beside readable
  };

  virtual ~FramePort() = default;

  // Any thread.
  /// As NetworkBackend::send(), of a frame of 1 to max_frame_size bytes.
  [[nodiscard]] virtual bool send(const OutgoingFrame& frame) noexcept = 0;
  [[nodiscard]] virtual bool link_up() const noexcept = 0;
  [[nodiscard]] virtual NetworkOffloads offloads() const noexcept { return {}; }
  [[nodiscard]] virtual std::uint16_t mtu() const noexcept { return 0; }

  // One thread.
  /// The next frame, whose bytes stay until next() is called again. Nothing where none is there now: there
  /// may be one when what is watched is ready, or the event has rung.
  [[nodiscard]] virtual std::optional<IncomingFrame> next() noexcept = 0;
  [[nodiscard]] virtual Watch watch() noexcept = 0;
  /// What is watched takes bytes again.
  virtual void writable() noexcept {}
  virtual void accept_offloads(const NetworkOffloads&) noexcept {}

  /// Once, before anything is sent: the event that next()'s thread waits for.
  void set_wake(WakeEvent& wake) noexcept { wake_ = &wake; }

  /// What the user should know of it; "" where there is nothing.
  [[nodiscard]] virtual std::string notice() const { return {}; }

 protected:
  void wake() noexcept {
    if (wake_ != nullptr) wake_->ring();
  }

 private:
  WakeEvent* wake_ = nullptr;
};

}  // namespace kvmbench::hostio
