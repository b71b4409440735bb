#include "cli/live_trace.hpp"

#include <unistd.h>

#include <array>
#include <string_view>

#include "cli/standard_streams.hpp"
#include "cli/terminal_size.hpp"

namespace kvmbench::cli {

LiveTrace::LiveTrace() {
  if (!live::Screen::available()) return;
  screen_.emplace();
  keys_ = STDIN_FILENO;
  draw();
}

LiveTrace::~LiveTrace() {
  screen_.reset();
  for (const std::string& message : told_) cli::tell(message);
}

bool LiveTrace::press() {
  std::array<char, 16> pressed{};
  const ssize_t size = ::read(keys_, pressed.data(), pressed.size());
  if (size <= 0) {
    keys_ = -1;  // the terminal has gone; SIGHUP tells whether that is the end
    return true;
  }
  const live::Key key = live::key_of(std::string_view(pressed.data(), static_cast<std::size_t>(size)));
  if (key == live::Key::quit) return false;
  view_.press(key);
  draw();
  return true;
}

void LiveTrace::show(std::shared_ptr<const live::Moment> moment) {
  view_.show(std::move(moment));
  if (!screen_) return cli::tell(view_.line());
  draw();
}

void LiveTrace::tell(const std::string& message) {
  if (!screen_) return cli::tell(message);
  told_.push_back(message);
}

std::string LiveTrace::last_told() const {
  return told_.empty() ? "" : told_.back();
}

void LiveTrace::draw() {
  if (screen_) screen_->draw(view_.render(screen_->size(), terminal_has_colour(), {}));
}

}  // namespace kvmbench::cli
