#include "hostio/input_reader.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace kvmbench::hostio {

InputReader::InputReader(boost::asio::io_context& io, std::function<void()> ended)
    : io_(io), ended_(std::move(ended)), bell_(io, [this] {
        offer();
        wait();
      }) {}

void InputReader::attach(int fd, Filter filter) {
  fd_ = fd;
  filter_ = std::move(filter);
  readable_ = std::make_unique<Readiness>(io_, fd, EPOLLIN, [this] { read(); });
  wait();
}

void InputReader::detach() noexcept {
  fd_ = -1;
  readable_.reset();
}

void InputReader::start(SerialBackend::Receive receive) {
  receive_ = std::move(receive);
  offer();
  wait();
}

void InputReader::room() noexcept {
  if (refused_.exchange(false)) bell_.ring();
}

void InputReader::wait() {
  if (readable_ && (filter_ || (receive_ && pending() < capacity))) readable_->wait();
}

void InputReader::read() {
  std::array<std::uint8_t, read_size> bytes;
  const ssize_t count = ::read(fd_, bytes.data(), bytes.size());
  if (count > 0) {
    append({bytes.data(), static_cast<std::size_t>(count)});
    offer();
  } else if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)) {
    ended_();
    return;
  }
  wait();
}

void InputReader::append(std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, read_size + 1> filtered;
  if (filter_) bytes = {filtered.data(), filter_(bytes, filtered)};
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  // Without a filter, a read began only below the capacity, so that it is passed by less than one read.
  if (filter_) bytes = bytes.first(std::min(bytes.size(), capacity - std::min(capacity, pending_.size())));
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

void InputReader::offer() {
  if (!receive_ || pending() == 0) return;
  // Before the offer: the guest may make room between its refusal and anything that is done here after it.
  refused_ = true;
  taken_ += receive_(std::span<const std::uint8_t>(pending_).subspan(taken_));
  if (pending() == 0) refused_ = false;
}

}  // namespace kvmbench::hostio
