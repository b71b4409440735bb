#include "hostio/unix_backend.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace kvmbench::hostio {

UnixBackend::UnixBackend(boost::asio::io_context& io, const std::string& path)
    : StreamBackend(io, path), listener_(path), arrival_(io, listener_.fd(), EPOLLIN, [this] { accept(); }) {
  writer().queue().when_full(OutputQueue::WhenFull::drop);
  arrival_.wait();
}

std::string UnixBackend::notice() const {
  return "serial port at " + listener_.path();
}

void UnixBackend::output_failed(int) {
  hang_up();
}
void UnixBackend::input_ended() {
  hang_up();
}

void UnixBackend::accept() {
  client_ = listener_.accept();
  if (!client_) {
    const int error = errno;
    if (error == EAGAIN || error == EINTR || error == ECONNABORTED) {
      arrival_.wait();
    } else {  // it would fail again at once, and for ever
      std::fputs(
          fmt::format("kvmbench: {}: no more clients: {}\n", listener_.path(), std::strerror(error)).c_str(),
          stderr);
    }
    return;
  }
  writer().queue().when_full(OutputQueue::WhenFull::wait);
  reader().attach(client_.get());
  writer().attach(client_.get());
}

void UnixBackend::hang_up() {
  writer().queue().when_full(OutputQueue::WhenFull::drop);
  reader().detach();
  writer().detach();
  client_.reset();
  arrival_.wait();
}

}  // namespace kvmbench::hostio
