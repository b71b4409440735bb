/// The terminal while a live view has it.
#pragma once

#include <string>
#include <vector>

#include "hostio/terminal.hpp"
#include "live/view.hpp"

namespace kvmbench::live {

/// The alternate screen of the terminal on stdin and stdout, without cursor and in raw mode, until destroyed:
/// then all is as it was.
class Screen final {
 public:
  Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  /// Whether stdin and stdout are a terminal that this process may use.
  [[nodiscard]] static bool available();

  [[nodiscard]] View::Size size() const;
  /// In one write, line by line over what was there. A terminal that takes nothing misses it.
  void draw(const std::vector<std::string>& lines);

 private:
  hostio::RawTerminal raw_;
};

}  // namespace kvmbench::live
