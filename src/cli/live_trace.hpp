/// trace --live: the table of the traced VMs on the terminal; a line each time where there is no terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "live/screen.hpp"
#include "live/view.hpp"

namespace kvmbench::cli {

class LiveTrace final {
 public:
  /// Takes the terminal, until destroyed.
  LiveTrace();
  LiveTrace(const LiveTrace&) = delete;
  LiveTrace& operator=(const LiveTrace&) = delete;
  /// What was said meanwhile is told.
  ~LiveTrace();

  /// What keys are read from; -1 where there is no terminal.
  [[nodiscard]] int keys() const noexcept { return keys_; }
  /// Does what the keys mean that have been pressed; false where the user wants to leave.
  [[nodiscard]] bool press();

  void show(std::shared_ptr<const live::Moment> moment);

  /// Told at once, or, while the table has the terminal, when it is gone.
  void tell(const std::string& message);
  /// The last of these while they cannot be told; "" before the first.
  [[nodiscard]] std::string last_told() const;

 private:
  void draw();

  live::View view_;
  std::optional<live::Screen> screen_;
  int keys_ = -1;
  std::vector<std::string> told_;
};

}  // namespace kvmbench::cli
