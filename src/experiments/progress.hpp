/// How far an experiment is, on stderr: a bar with the time left on a terminal, else lines where they are
/// wanted. What takes less than two seconds says nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace kvmbench::experiments {

class Progress final {
 public:
  enum class How { silent, bar, lines };

  explicit Progress(How how);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// The bar is gone.
  ~Progress();

  /// An experiment of these many seconds begins, the `number`-th of `all`.
  void begin(const std::string& experiment, unsigned number, unsigned all, double seconds);
  /// What is being done, and what is left of the time.
  void at(const std::string& what, double seconds_left);

 private:
  void redraw();
  void clear();
  [[nodiscard]] std::string line() const;

  const How how_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point ends_;
  std::string experiment_;
  std::string what_;
  bool shown_ = false;
  bool over_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread drawing_;  // of the bar
};

/// A bar of `width` characters, filled up to `share` (0 to 1): "[=====>    ]".
[[nodiscard]] std::string bar_of(double share, unsigned width);

}  // namespace kvmbench::experiments
