/// Wakes the I/O thread from any other by one write to an eventfd; asio::post would allocate.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "hostio/lifetime.hpp"

namespace kvmbench::hostio {

class Doorbell final {
 public:
  /// `answer` runs on the I/O thread, once for all rings since it last ran.
  Doorbell(boost::asio::io_context& io, std::function<void()> answer);
  void ring() noexcept;

 private:
  void wait();

  boost::asio::posix::stream_descriptor event_;
  const int fd_;
  std::function<void()> answer_;
  Lifetime lifetime_;
};

}  // namespace kvmbench::hostio
