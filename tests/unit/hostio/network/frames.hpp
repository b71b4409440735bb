/// What the tests of networks share: frames as hexadecimal text, a card that writes down what it gets.
#pragma once

#include <cctype>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "devices/network_backend.hpp"

namespace kvmbench::hostio {

using Bytes = std::vector<std::byte>;
using Frames = std::vector<Bytes>;

/// From hexadecimal digits; anything between them is left out.
inline Bytes hex(std::string_view text) {
  Bytes bytes;
  int high = -1;
  for (const char c : text) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::byte>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

inline Bytes copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Bytes that tell their place.
inline Bytes numbered(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 251);
  return bytes;
}

/// Sends `bytes` in one piece by a port or a backend.
template <class Sender>
bool send_bytes(Sender& sender, std::span<const std::byte> bytes, const FrameHeader& header = {}) {
  return sender.send(OutgoingFrame{.header = header, .pieces = std::span(&bytes, 1)});
}

/// Takes what it is offered while it has room.
class RecordingCard final : public FrameReceiver {
 public:
  [[nodiscard]] bool receive(const FrameHeader&, std::span<const std::byte> frame) noexcept override {
    const std::lock_guard lock(mutex_);
    if (room_ == 0) {
      ++refusals_;
      changed_.notify_all();
      return false;
    }
    --room_;
    frames_.push_back(copy(frame));
    changed_.notify_all();
    return true;
  }
  void link_changed() noexcept override {
    const std::lock_guard lock(mutex_);
    ++link_changes_;
    changed_.notify_all();
  }

  /// Room for so many frames from now on.
  void set_room(std::size_t frames) {
    const std::lock_guard lock(mutex_);
    room_ = frames;
  }
  /// False if it does not come about within a time far beyond any that it can need.
  bool wait_for_frames(std::size_t count) {
    return wait([&] { return frames_.size() >= count; });
  }
  bool wait_for_refusals(std::size_t count) {
    return wait([&] { return refusals_ >= count; });
  }
  bool wait_for_link_change() {
    return wait([&] { return link_changes_ != 0; });
  }
  std::vector<Bytes> frames() {
    const std::lock_guard lock(mutex_);
    return frames_;
  }

 private:
  bool wait(const std::function<bool()>& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), done);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Bytes> frames_;
  std::size_t room_ = SIZE_MAX;
  std::size_t refusals_ = 0;
  int link_changes_ = 0;
};

}  // namespace kvmbench::hostio
