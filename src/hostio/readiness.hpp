/// Tells when a descriptor can be read or written, and leaves its file description as it is.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>

#include "hostio/lifetime.hpp"

namespace kvmbench::hostio {

/// Asio's own async_wait makes the descriptor non-blocking. Standard input and output share their file
/// description with other processes, the user's shell among them, which then fail with EAGAIN. So Asio waits
/// for an epoll set that holds nothing but this descriptor, and which is ours alone.
class Readiness final {
 public:
  /// `events` is EPOLLIN or EPOLLOUT; errors and hang-ups count as ready: the read or write that follows
  /// finds them. `ready` may destroy this object. The descriptor stays the caller's, and open as long as this
  /// object lives.
  Readiness(boost::asio::io_context& io, int fd, std::uint32_t events, std::function<void()> ready);

  /// One call of `ready`, from the I/O thread's loop, never from here. Files that cannot be polled are ready
  /// always.
  void wait();
  [[nodiscard]] bool waiting() const noexcept { return waiting_; }

 private:
  void fire();

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor set_;
  const int fd_;
  const std::uint32_t events_;
  std::function<void()> ready_;
  bool waiting_ = false;
  Lifetime lifetime_;
};

}  // namespace kvmbench::hostio
