#include "hostio/readiness.hpp"

#include <sys/epoll.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

int make_set() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw HostError::from_errno("epoll_create1");
  return fd;
}

}  // namespace

Readiness::Readiness(boost::asio::io_context& io, int fd, std::uint32_t events, std::function<void()> ready)
    : io_(io), set_(io, make_set()), fd_(fd), events_(events), ready_(std::move(ready)) {}

void Readiness::wait() {
  if (waiting_) return;
  waiting_ = true;
  epoll_event event{};
  event.events = events_;
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, fd_, &event) == 0) {
    set_.async_wait(boost::asio::posix::stream_descriptor::wait_read, lifetime_.guard([this] { fire(); }));
  } else {  // EPERM: a regular file or /dev/null
    boost::asio::post(io_, lifetime_.guard([this] { fire(); }));
  }
}

void Readiness::fire() {
  waiting_ = false;
  // In the set only while somebody waits: otherwise each read by the peer would wake this thread for nothing.
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd_, nullptr);
  const auto ready = ready_;
  ready();
}

}  // namespace kvmbench::hostio
