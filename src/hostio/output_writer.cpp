#include "hostio/output_writer.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>
#include <utility>

namespace kvmbench::hostio {
namespace {

constexpr std::chrono::milliseconds interval{1};

/// What poll() knows of writing to `fd` now; 0 if it takes nothing.
int output_state(int fd) noexcept {
  pollfd query{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&query, 1, 0) > 0 ? query.revents : 0;
}

}  // namespace

OutputWriter::OutputWriter(boost::asio::io_context& io, std::function<void(int)> failed)
    : io_(io),
      bell_(io, [this] { flush(); }),
      queue_([this] { bell_.ring(); }),
      failed_(std::move(failed)),
      timer_(io) {}

void OutputWriter::attach(int fd) {
  fd_ = fd;
  writable_ = std::make_unique<Readiness>(io_, fd, EPOLLOUT, [this] { flush(); });
  flush();
}

void OutputWriter::detach() noexcept {
  fd_ = -1;
  writable_.reset();
}

void OutputWriter::flush() {
  if (fd_ < 0 || pausing_ || writable_->waiting()) return;
  // Bounded, so that a guest that never stops writing leaves the I/O thread time for everything else.
  for (std::size_t writes = 0; writes < OutputQueue::capacity / PIPE_BUF; ++writes) {
    if (!write_some()) return;
  }
  pause();
}

bool OutputWriter::write_some() {
  const std::span<const std::uint8_t> bytes = queue_.front();
  if (bytes.empty()) {
    pause();
    return false;
  }
  const int state = output_state(fd_);
  if (state == 0) {
    writable_->wait();
    return false;
  }
  // A pseudoterminal that nobody has open still takes bytes, until it is full, and then it is no error
  // either.
  if ((state & POLLHUP) != 0) {
    failed_(EPIPE);
    return false;
  }
  // A pipe that poll() calls writable takes PIPE_BUF bytes without blocking (pipe(7)), even in blocking mode.
  const ssize_t written = ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
  if (written >= 0) {
    queue_.take(static_cast<std::size_t>(written));
    return true;
  }
  if (errno == EINTR) {
    pause();
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    writable_->wait();
  } else {
    failed_(errno);
  }
  return false;
}

void OutputWriter::pause() {
  if (pausing_) return;
  pausing_ = true;
  timer_.expires_after(interval);
  timer_.async_wait(lifetime_.guard([this] {
    pausing_ = false;
    if (!queue_.rest()) flush();
  }));
}

bool OutputWriter::drain(std::chrono::milliseconds limit) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds slice{50};
  if (io_.stopped()) io_.restart();
  const unsigned closes = queue_.closes();
  std::size_t left = queue_.size();
  Clock::time_point last_progress = Clock::now();
  flush();
  while (attached() && queue_.size() > 0) {
    if (queue_.closes() != closes || io_.stopped()) return false;
    io_.run_one_for(slice);
    if (queue_.size() != left) {
      left = queue_.size();
      last_progress = Clock::now();
    } else if (closes > 0 && Clock::now() - last_progress >= limit) {
      return false;
    }
  }
  return true;
}

}  // namespace kvmbench::hostio
