/// --net socket=PATH: frames on a stream socket, each behind its length as four big-endian bytes; so speak
/// passt and QEMU's `-netdev stream`.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/unique_fd.hpp"
#include "hostio/network/byte_ring.hpp"
#include "hostio/network/frame_port.hpp"

namespace kvmbench::hostio {

/// What the peer does not take at once waits in a queue; frames that find it full are dropped. A peer that
/// hangs up, or breaks the protocol, takes the link down for good.
class SocketPort final : public FramePort {
 public:
  /// Connects to `path`. Throws UsageError where nobody listens there.
  explicit SocketPort(const std::string& path);
  /// `socket` is connected; `name` is for messages.
  SocketPort(UniqueFd socket, std::string name);

  [[nodiscard]] bool send(const OutgoingFrame& frame) noexcept override;
  [[nodiscard]] bool link_up() const noexcept override { return connected_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::optional<IncomingFrame> next() noexcept override;
  [[nodiscard]] Watch watch() noexcept override;
  void writable() noexcept override;

 private:
  static constexpr std::size_t prefix_size = 4;
  static constexpr std::size_t input_capacity = 4 * (prefix_size + max_frame_size);

  [[nodiscard]] bool send_or_queue(std::span<iovec> pieces, std::size_t size) noexcept;
  [[nodiscard]] bool receive() noexcept;
  [[nodiscard]] std::span<const std::byte> unread() const noexcept {
    return {input_.get() + begin_, end_ - begin_};
  }
  void hang_up(const char* why) noexcept;

  const std::string name_;
  UniqueFd socket_;
  std::atomic<bool> connected_ = true;

  std::mutex output_mutex_;
  ByteRing output_;  // begins, where it is not empty, with the rest of a frame or a whole one

  // The thread's that calls next().
  std::unique_ptr<std::byte[]> input_ = std::make_unique_for_overwrite<std::byte[]>(input_capacity);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace kvmbench::hostio
