#include "hostio/doorbell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

int make_event() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw HostError::from_errno("eventfd");
  return fd;
}

}  // namespace

Doorbell::Doorbell(boost::asio::io_context& io, std::function<void()> answer)
    : event_(io, make_event()), fd_(event_.native_handle()), answer_(std::move(answer)) {
  wait();
}

void Doorbell::ring() noexcept {
  // It can only fail when 2^64 - 2 rings are unanswered, and then the bell rings already.
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

void Doorbell::wait() {
  event_.async_wait(boost::asio::posix::stream_descriptor::wait_read, lifetime_.guard([this] {
    std::uint64_t rings = 0;
    if (::read(fd_, &rings, sizeof rings) == sizeof rings) answer_();
    wait();
  }));
}

}  // namespace kvmbench::hostio
