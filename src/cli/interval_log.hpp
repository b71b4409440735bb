/// --interval: a JSON line for each interval of a run, so that a run which is killed has lost no more than
/// one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/unique_fd.hpp"
#include "report/timeline.hpp"
#include "vmm/machine.hpp"

namespace kvmbench::cli {

class IntervalLog final {
 public:
  /// Appends to `path`. Throws UsageError where it cannot be opened.
  IntervalLog(boost::asio::io_context& io, const Machine& machine, const std::string& path,
              std::chrono::nanoseconds interval, std::uint64_t tsc_khz);

  void start();
  /// The machine has stopped: writes what came since the last line.
  void finish();

  [[nodiscard]] const report::Timeline& timeline() const noexcept { return timeline_; }

 private:
  void schedule();
  void write_line();

  const Machine& machine_;
  const std::string path_;
  const std::chrono::nanoseconds interval_;
  const std::uint64_t tsc_khz_;
  UniqueFd fd_;
  boost::asio::steady_timer timer_;
  stats::Snapshot last_;
  report::Timeline timeline_;
  std::uint64_t number_ = 0;
  bool failed_ = false;
};

}  // namespace kvmbench::cli
