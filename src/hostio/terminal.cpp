#include "hostio/terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

std::atomic<int> raw_fd = -1;
termios saved_mode;  // of raw_fd, which is set after it
static_assert(std::atomic<int>::is_always_lock_free, "for use in a signal handler");

termios raw(termios mode) noexcept {
  mode.c_iflag &=
      ~static_cast<tcflag_t>(BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
  mode.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  mode.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB);
  mode.c_cflag |= CS8;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  return mode;
}

/// Async-signal-safe.
void restore_terminal() noexcept {
  const int error = errno;
  const int fd = raw_fd.exchange(-1);
  if (fd >= 0) ::tcsetattr(fd, TCSANOW, &saved_mode);
  errno = error;
}

/// A crash of this program leaves the terminal as it was. With SA_RESETHAND the signal then does what it
/// always does.
void restore_on_fatal_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = [](int) { restore_terminal(); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

RawTerminal::RawTerminal(int fd) {
  if (raw_fd >= 0)
    throw UsageError("the terminal serves a serial port already: only one of them can be stdio");
  if (::tcgetattr(fd, &saved_mode) != 0) throw HostError::from_errno("reading the terminal's mode");
  const termios mode = raw(saved_mode);
  raw_fd = fd;
  restore_on_fatal_signals();
  // At once: waiting for output to drain would hang on a terminal whose output is stopped.
  if (::tcsetattr(fd, TCSANOW, &mode) != 0) {
    raw_fd = -1;
    throw HostError::from_errno("putting the terminal into raw mode");
  }
}

RawTerminal::~RawTerminal() {
  restore_terminal();
}

bool in_background(int fd) noexcept {
  // It fails for a terminal that is not this session's own, which then has no say in what it may do.
  const pid_t foreground = ::tcgetpgrp(fd);
  return foreground >= 0 && foreground != ::getpgrp();
}

}  // namespace kvmbench::hostio
