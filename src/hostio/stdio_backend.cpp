#include "hostio/stdio_backend.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

namespace kvmbench::hostio {
namespace {

/// A file description of our own for terminal `fd`, so that it can be non-blocking: a terminal that poll()
/// calls writable may have room for one byte only, and a write of more would block. Empty if it cannot be
/// opened, as after su(1); then a stalled terminal stalls the I/O thread until it takes more.
UniqueFd reopen_terminal(int fd) {
  return UniqueFd(
      ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
}

}  // namespace

StdioBackend::StdioBackend(boost::asio::io_context& io, int input, int output, std::function<void()> leave)
    : StreamBackend(io, "standard output"), leave_(std::move(leave)) {
  if (::isatty(output)) own_output_ = reopen_terminal(output);
  writer().attach(own_output_ ? own_output_.get() : output);
  if (!::isatty(input)) {
    reader().attach(input);
  } else if (in_background(input)) {
    background_ = true;
  } else {
    terminal_.emplace(input);
    reader().attach(input, [this](auto typed, auto to_guest) { return filter(typed, to_guest); });
  }
}

std::string StdioBackend::notice() const {
  if (terminal_) return "serial port on this terminal: Ctrl-a x leaves, Ctrl-a Ctrl-a sends Ctrl-a";
  if (background_) return "serial port: in the background, nothing is read from the terminal";
  return {};
}

std::size_t StdioBackend::filter(std::span<const std::uint8_t> typed, std::span<std::uint8_t> to_guest) {
  const EscapeFilter::Result result = escape_.filter(typed, to_guest);
  if (result.leave) leave_();
  return result.size;
}

}  // namespace kvmbench::hostio
