#include "hostio/network/socket_port.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "hostio/network/frame_vector.hpp"

namespace kvmbench::hostio {
namespace {

UniqueFd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) throw UsageError("the network's socket has no path: give --net socket=PATH");
  if (path.size() >= sizeof address.sun_path) {
    throw UsageError(fmt::format("network socket '{}': a socket's path has at most {} bytes", path,
                                 sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw HostError::from_errno("socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw UsageError(
        fmt::format("network socket '{0}': {1}: start what listens there first, as 'passt -s {0}'", path,
                    std::strerror(errno)));
  }
  return fd;
}

std::array<std::byte, 4> prefix_of(std::size_t size) noexcept {
  const std::uint32_t big_endian = htonl(static_cast<std::uint32_t>(size));
  std::array<std::byte, 4> bytes;
  std::memcpy(bytes.data(), &big_endian, sizeof big_endian);
  return bytes;
}

/// What has been sent, -1 for a connection that is gone; nothing where the peer takes nothing now.
ssize_t send_some(int fd, std::span<iovec> pieces) noexcept {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : sent;
}

}  // namespace

SocketPort::SocketPort(const std::string& path) : SocketPort(connect_to(path), path) {}

SocketPort::SocketPort(UniqueFd socket, std::string name)
    : name_(std::move(name)), socket_(std::move(socket)) {}

bool SocketPort::send(const OutgoingFrame& frame) noexcept {
  if (!link_up()) return false;
  const std::size_t size = frame.size();
  const auto prefix = prefix_of(size);
  FrameVector vector(prefix, frame);
  return send_or_queue(vector.pieces(), prefix_size + size);
}

bool SocketPort::send_or_queue(std::span<iovec> pieces, std::size_t size) noexcept {
  const std::lock_guard lock(output_mutex_);
  if (output_.room() < size) return false;
  const bool queue_was_empty = output_.size() == 0;
  std::size_t sent = 0;
  if (queue_was_empty) {
    const ssize_t result = send_some(socket_.get(), pieces);
    if (result < 0) return false;  // next() finds it out too
    sent = static_cast<std::size_t>(result);
  }
  if (sent == size) return true;
  for (const iovec& piece : pieces) {
    const std::size_t done = std::min(sent, piece.iov_len);
    sent -= done;
    output_.push({static_cast<const std::byte*>(piece.iov_base) + done, piece.iov_len - done});
  }
  if (queue_was_empty) wake();  // to watch for the peer to take more
  return true;
}

FramePort::Watch SocketPort::watch() noexcept {
  if (!link_up()) return {};
  const std::lock_guard lock(output_mutex_);
  return {.fd = socket_.get(), .writable = output_.size() != 0};
}

void SocketPort::writable() noexcept {
  const std::lock_guard lock(output_mutex_);
  auto pieces = output_.pieces();
  const ssize_t sent = send_some(socket_.get(), pieces);
  // What cannot be sent any more is given up, so that nobody waits for it.
  output_.drop(sent < 0 ? output_.size() : static_cast<std::size_t>(sent));
}

std::optional<IncomingFrame> SocketPort::next() noexcept {
  while (link_up()) {
    const auto bytes = unread();
    std::uint32_t size = 0;
    if (bytes.size() >= prefix_size) {
      std::memcpy(&size, bytes.data(), prefix_size);
      size = ntohl(size);
      if (size > max_frame_size) {
        hang_up(fmt::format("a frame of {} bytes: its peer speaks another protocol", size).c_str());
        break;
      }
    }
    if (bytes.size() < prefix_size + size || bytes.size() < prefix_size) {
      if (!receive()) break;
      continue;
    }
    begin_ += prefix_size + size;
    if (size != 0) return IncomingFrame{.header = {}, .bytes = bytes.subspan(prefix_size, size)};
  }
  return std::nullopt;
}

/// Reads what there is behind what is unread; false where that is nothing.
bool SocketPort::receive() noexcept {
  if (begin_ != 0) {
    std::memmove(input_.get(), input_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  ssize_t received = 0;
  do {
    received = ::recv(socket_.get(), input_.get() + end_, input_capacity - end_, MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  if (received > 0) {
    end_ += static_cast<std::size_t>(received);
    return true;
  }
  if (received == 0) {
    hang_up("its peer has hung up");
  } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
    hang_up(std::strerror(errno));
  }
  return false;
}

/// The descriptor stays open: a vCPU may be about to use it.
void SocketPort::hang_up(const char* why) noexcept {
  connected_.store(false, std::memory_order_relaxed);
  ::shutdown(socket_.get(), SHUT_RDWR);
  std::fputs(fmt::format("kvmbench: network socket '{}': {}: the link is down\n", name_, why).c_str(),
             stderr);
}

}  // namespace kvmbench::hostio
