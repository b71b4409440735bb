/// A frame as the iovec that system calls take, with something in front of it.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>

#include "devices/network_backend.hpp"

namespace kvmbench::hostio {

/// Frames in more pieces than a driver has reason to send are first put together.
class FrameVector final {
 public:
  static constexpr std::size_t max_pieces = 64;

  /// `prefix` and what the frame's pieces refer to must outlive this. A frame of at most max_frame_size.
  FrameVector(std::span<const std::byte> prefix, const OutgoingFrame& frame) noexcept {
    add(prefix);
    if (frame.pieces.size() <= max_pieces) {
      for (const auto piece : frame.pieces) add(piece);
    } else {
      add(std::span(gathered_).first(copy_frame(frame, gathered_)));
    }
  }
  FrameVector(const FrameVector&) = delete;
  FrameVector& operator=(const FrameVector&) = delete;

  [[nodiscard]] std::span<iovec> pieces() noexcept { return std::span(pieces_).first(count_); }

 private:
  void add(std::span<const std::byte> bytes) noexcept {
    // writev(2) and its like only read.
    pieces_[count_++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  }

  std::array<iovec, max_pieces + 1> pieces_;
  std::size_t count_ = 0;
  std::array<std::byte, max_frame_size> gathered_;
};

}  // namespace kvmbench::hostio
