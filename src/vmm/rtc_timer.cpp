#include "vmm/rtc_timer.hpp"

#include <boost/asio/post.hpp>
#include <chrono>

namespace kvmbench {

void RtcTimer::rearm() noexcept {
  boost::asio::post(io_, [this] { arm(); });
}

void RtcTimer::arm() {
  const auto deadline = rtc_.next_deadline();
  if (!deadline) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(std::chrono::time_point_cast<std::chrono::system_clock::duration>(*deadline));
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    rtc_.tick();
    arm();
  });
}

}  // namespace kvmbench
