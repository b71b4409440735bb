#include "live/console_pane.hpp"

#include <algorithm>

namespace kvmbench::live {

ConsolePane::ConsolePane() : lines_(most_lines) {
  for (std::string& line : lines_) line.reserve(most_characters);
}

void ConsolePane::put(std::uint8_t byte) noexcept {
  const std::lock_guard lock(mutex_);
  switch (state_) {
    case State::escape:  // ECMA-48, 5.3: ESC [ begins a control sequence; else one more character ends it
      state_ = byte == '[' ? State::sequence : State::text;
      return;
    case State::sequence:  // ECMA-48, 5.4: up to a final byte from 0x40 to 0x7e
      if (byte >= 0x40 && byte <= 0x7e) state_ = State::text;
      return;
    case State::text:
      break;
  }
  if (byte == 0x1b) {
    state_ = State::escape;
  } else if (byte == '\n') {
    current_ = (current_ + 1) % most_lines;
    begun_ = std::min(begun_ + 1, most_lines);
    lines_[current_].clear();
    returned_ = false;
  } else if (byte == '\r') {
    returned_ = true;
  } else if (byte >= 0x20 || byte == '\t') {
    if (returned_) lines_[current_].clear();
    returned_ = false;
    if (lines_[current_].size() < most_characters)
      lines_[current_] += byte == '\t' ? ' ' : static_cast<char>(byte);
  }
}

std::vector<std::string> ConsolePane::lines() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (std::size_t i = begun_; i > 0; --i)
    lines.push_back(lines_[(current_ + most_lines - i + 1) % most_lines]);
  return lines;
}

}  // namespace kvmbench::live
