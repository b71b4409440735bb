/// --serial unix:PATH
#pragma once

#include "base/unique_fd.hpp"
#include "hostio/readiness.hpp"
#include "hostio/stream_backend.hpp"
#include "hostio/unix_listener.hpp"

namespace kvmbench::hostio {

/// A listening stream socket. One client at a time; the next is served when this one has gone. Without one,
/// output is kept up to the queue's size and what follows is dropped, so that the guest never waits for
/// nobody.
class UnixBackend final : public StreamBackend {
 public:
  UnixBackend(boost::asio::io_context& io, const std::string& path);
  [[nodiscard]] std::string notice() const override;

 private:
  void output_failed(int error) override;
  void input_ended() override;
  void accept();
  void hang_up();

  UnixListener listener_;
  Readiness arrival_;
  UniqueFd client_;
};

}  // namespace kvmbench::hostio
