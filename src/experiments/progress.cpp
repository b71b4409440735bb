#include "experiments/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/blocked_signals.hpp"
#include "cli/standard_streams.hpp"

namespace kvmbench::experiments {
namespace {

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds silence(2);
constexpr Seconds period(0.5);

void write_stderr(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string bar_of(double share, unsigned width) {
  const auto filled = static_cast<unsigned>(std::clamp(share, 0.0, 1.0) * width);
  std::string bar(filled, '=');
  if (filled < width) bar += '>';
  bar.resize(width, ' ');
  return '[' + bar + ']';
}

Progress::Progress(How how) : how_(how) {
  if (how_ != How::bar) return;
  const BlockedSignals blocked;
  drawing_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!over_) {
      redraw();
      changed_.wait_for(lock, period);
    }
  });
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    clear();
  }
  changed_.notify_all();
  if (drawing_.joinable()) drawing_.join();
}

void Progress::begin(const std::string& experiment, unsigned number, unsigned all, double seconds) {
  const std::lock_guard lock(mutex_);
  clear();
  experiment_ = all == 1 ? experiment : fmt::format("{} ({} of {})", experiment, number, all);
  what_.clear();
  began_ = steady_clock::now();
  ends_ = began_ + std::chrono::duration_cast<steady_clock::duration>(Seconds(seconds));
}

void Progress::at(const std::string& what, double seconds_left) {
  const std::lock_guard lock(mutex_);
  what_ = what;
  if (how_ == How::lines && steady_clock::now() - began_ >= silence)
    cli::tell(fmt::format("{}: {}; about {:.0f} s left", experiment_, what, seconds_left));
}

std::string Progress::line() const {
  const auto now = steady_clock::now();
  const double whole = Seconds(ends_ - began_).count();
  const double left = std::max(0.0, Seconds(ends_ - now).count());
  return fmt::format("{} {} {:3.0f} s left  {}", experiment_,
                     bar_of(whole > 0 ? Seconds(now - began_).count() / whole : 1, 20), left, what_);
}

void Progress::redraw() {
  if (experiment_.empty() || steady_clock::now() - began_ < silence) return;
  constexpr std::size_t narrowest = 78;
  write_stderr("\r\x1b[K" + line().substr(0, narrowest));
  shown_ = true;
}

void Progress::clear() {
  if (shown_) write_stderr("\r\x1b[K");
  shown_ = false;
}

}  // namespace kvmbench::experiments
