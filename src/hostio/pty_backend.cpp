#include "hostio/pty_backend.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <array>
#include <chrono>

#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

constexpr std::chrono::milliseconds look_interval{100};

UniqueFd open_master() {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) {
    throw HostError::from_errno("making a pseudoterminal");
  }
  return master;
}

std::string slave_path(int master) {
  std::array<char, 64> path{};
  if (::ptsname_r(master, path.data(), path.size()) != 0)
    throw HostError::from_errno("naming a pseudoterminal");
  return path.data();
}

short poll_state(int fd) {
  pollfd query{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&query, 1, 0) > 0 ? query.revents : short{0};
}

/// Bytes that the client has not read yet.
std::size_t unread_by_client(int slave) {
  // What was written reaches the slave's buffer by way of a kernel thread, which poll() waits for where that
  // is empty; FIONREAD tells of the buffer alone.
  poll_state(slave);
  int unread = 0;
  return ::ioctl(slave, FIONREAD, &unread) == 0 && unread > 0 ? static_cast<std::size_t>(unread) : 0;
}

UniqueFd open_slave(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
}

}  // namespace

PtyBackend::PtyBackend(boost::asio::io_context& io)
    : StreamBackend(io, "pseudoterminal"),
      io_(io),
      master_(open_master()),
      path_(slave_path(master_.get())),
      timer_(io) {
  // Opened and closed again: the master reports a hang-up while nobody has the slave open only if somebody
  // had it.
  const UniqueFd slave = open_slave(path_);
  termios mode{};
  if (!slave || ::tcgetattr(slave.get(), &mode) != 0) throw HostError::from_errno(path_);
  ::cfmakeraw(&mode);
  if (::tcsetattr(slave.get(), TCSANOW, &mode) != 0) throw HostError::from_errno(path_);
  writer().queue().when_full(OutputQueue::WhenFull::drop);
  look_later();
}

std::string PtyBackend::notice() const {
  return "serial port at " + path_;
}

void PtyBackend::output_failed(int) {
  writer().queue().when_full(OutputQueue::WhenFull::drop);
  writer().detach();
  look_later();
}

void PtyBackend::input_ended() {
  reader().detach();
  look_later();
}

void PtyBackend::look() {
  const short state = poll_state(master_.get());
  const bool connected = (state & POLLHUP) == 0;
  // A client may have written and left since the last look.
  if (!reader().attached() && (connected || (state & POLLIN) != 0)) reader().attach(master_.get());
  if (!writer().attached() && connected) {
    writer().queue().when_full(OutputQueue::WhenFull::wait);
    writer().attach(master_.get());
  }
  if (!reader().attached() || !writer().attached()) look_later();
}

void PtyBackend::look_later() {
  if (looking_) return;
  looking_ = true;
  timer_.expires_after(look_interval);
  timer_.async_wait(lifetime_.guard([this] {
    looking_ = false;
    look();
  }));
}

std::size_t PtyBackend::write_rest() {
  const std::size_t given_up = StreamBackend::write_rest();
  return given_up == 0 && writer().attached() ? wait_until_read() : given_up;
}

std::size_t PtyBackend::wait_until_read() {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds slice{2};
  if ((poll_state(master_.get()) & POLLHUP) != 0) return 0;
  const UniqueFd slave = open_slave(path_);
  const unsigned closes = writer().queue().closes();
  Clock::time_point last_progress = Clock::now();
  for (std::size_t left = 0;;) {
    const std::size_t unread = unread_by_client(slave.get());
    if (unread == 0) return 0;
    if (unread != left) last_progress = Clock::now();
    left = unread;
    if (writer().queue().closes() != closes || io_.stopped() ||
        Clock::now() - last_progress >= OutputWriter::patience) {
      return unread;
    }
    io_.run_for(slice);
  }
}

}  // namespace kvmbench::hostio
