/// Writes an OutputQueue to a descriptor, on the I/O thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "hostio/doorbell.hpp"
#include "hostio/lifetime.hpp"
#include "hostio/output_queue.hpp"
#include "hostio/readiness.hpp"

namespace kvmbench::hostio {

/// Woken by the first byte after a pause it writes at once, then once a millisecond while bytes keep coming:
/// a vCPU that writes a byte every few microseconds causes a thousand wake-ups a second, not one a byte.
class OutputWriter final {
 public:
  /// How long drain() waits for a reader that takes nothing, once a stop was requested.
  static constexpr std::chrono::milliseconds patience{2000};

  /// `failed` gets the errno of a write that cannot be repeated; it may detach.
  OutputWriter(boost::asio::io_context& io, std::function<void(int)> failed);

  [[nodiscard]] OutputQueue& queue() noexcept { return queue_; }
  [[nodiscard]] const OutputQueue& queue() const noexcept { return queue_; }

  /// Writes to `fd`, which stays the caller's, until detached; without one the queue only fills.
  void attach(int fd);
  void detach() noexcept;
  [[nodiscard]] bool attached() const noexcept { return fd_ >= 0; }

  /// Runs the I/O loop until all is written; false if it gave up: close() was called or the loop was stopped
  /// meanwhile, or close() was called before and the reader has taken nothing for `limit`. Only where no
  /// other call of the io_context's run() is under way.
  [[nodiscard]] bool drain(std::chrono::milliseconds limit = patience);

 private:
  void flush();
  /// One write at most; false when the descriptor takes nothing now, or is gone.
  [[nodiscard]] bool write_some();
  void pause();

  boost::asio::io_context& io_;
  Doorbell bell_;
  OutputQueue queue_;
  std::function<void(int)> failed_;
  boost::asio::steady_timer timer_;
  bool pausing_ = false;
  int fd_ = -1;
  std::unique_ptr<Readiness> writable_;
  Lifetime lifetime_;
};

}  // namespace kvmbench::hostio
