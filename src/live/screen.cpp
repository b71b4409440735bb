/// Control sequences: ECMA-48 (CUP, EL, ED) and xterm's (DEC private modes 25 and 1049).
#include "live/screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace kvmbench::live {
namespace {

/// A terminal that is stopped (Ctrl-S) must not stop the program.
void write_if_it_takes(std::string_view text) {
  while (!text.empty()) {
    pollfd room{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    constexpr int most_milliseconds = 100;
    if (::poll(&room, 1, most_milliseconds) <= 0) return;
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Screen::Screen() : raw_(STDIN_FILENO) {
  write_if_it_takes("\x1b[?1049h\x1b[?25l\x1b[2J");
}

Screen::~Screen() {
  write_if_it_takes("\x1b[?25h\x1b[?1049l");
}

bool Screen::available() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && term != nullptr &&
         std::string_view(term) != "dumb" && !hostio::in_background(STDIN_FILENO);
}

View::Size Screen::size() const {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  return known ? View::Size{size.ws_col, size.ws_row} : View::Size{80, 24};
}

void Screen::draw(const std::vector<std::string>& lines) {
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += "\r\n";
    text += lines[i] + "\x1b[K";
  }
  write_if_it_takes(text + "\x1b[J");
}

}  // namespace kvmbench::live
