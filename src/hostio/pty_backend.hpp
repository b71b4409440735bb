/// --serial pty
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "base/unique_fd.hpp"
#include "hostio/lifetime.hpp"
#include "hostio/stream_backend.hpp"

namespace kvmbench::hostio {

/// A pseudoterminal in raw mode, for programs such as screen. Clients come and go. Without one, output is
/// kept up to the queue's size and what follows is dropped, so that the guest never waits for somebody who is
/// not there.
class PtyBackend final : public StreamBackend {
 public:
  explicit PtyBackend(boost::asio::io_context& io);
  [[nodiscard]] std::string notice() const override;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::size_t write_rest() override;
  void output_failed(int error) override;
  void input_ended() override;
  /// Looks whether a client has opened the pseudoterminal: the master is not told.
  void look();
  void look_later();
  /// Closing the master destroys what the client has not read: gives it time, returns how many bytes it left.
  std::size_t wait_until_read();

  boost::asio::io_context& io_;
  UniqueFd master_;
  std::string path_;
  boost::asio::steady_timer timer_;
  bool looking_ = false;
  Lifetime lifetime_;
};

}  // namespace kvmbench::hostio
