#include "cli/interval_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "cli/standard_streams.hpp"
#include "report/formats.hpp"
#include "report/units.hpp"

namespace kvmbench::cli {

IntervalLog::IntervalLog(boost::asio::io_context& io, const Machine& machine, const std::string& path,
                         std::chrono::nanoseconds interval, std::uint64_t tsc_khz)
    : machine_(machine),
      path_(path),
      interval_(interval),
      tsc_khz_(tsc_khz),
      fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)),
      timer_(io) {
  if (!fd_) throw UsageError(fmt::format("--interval-file {}: {}", path, std::strerror(errno)));
}

void IntervalLog::start() {
  last_ = machine_.snapshot();
  last_.tsc_khz = tsc_khz_;
  timer_.expires_after(interval_);
  schedule();
}

void IntervalLog::schedule() {
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    write_line();
    timer_.expires_at(timer_.expiry() + interval_);
    schedule();
  });
}

void IntervalLog::finish() {
  timer_.cancel();
  write_line();
}

void IntervalLog::write_line() {
  if (failed_) return;
  stats::Snapshot now = machine_.snapshot();
  now.tsc_khz = tsc_khz_;
  const stats::Snapshot grown = now - last_;
  const report::Clock clock(tsc_khz_);
  if (clock.known() && now.taken > last_.taken) {
    timeline_.add(clock.seconds(static_cast<double>(now.taken - last_.taken)),
                  report::exits_by_reason(grown));
  }
  const std::string line = report::to_json_line(grown, number_++) + "\n";
  // One write a line: with O_APPEND, lines of two runs into one file stay whole.
  const ssize_t written = ::write(fd_.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    failed_ = true;
    tell(fmt::format("{}: {}; no more intervals are written", path_,
                     written < 0 ? std::strerror(errno) : "no room for a whole line"));
  }
  last_ = std::move(now);
}

}  // namespace kvmbench::cli
