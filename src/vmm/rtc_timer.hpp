/// Wakes the real-time clock when an interrupt that the guest has enabled is due.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/system_timer.hpp>

#include "devices/cmos_rtc.hpp"

namespace kvmbench {

class RtcTimer final : public DeadlineListener {
 public:
  /// Before the machine runs. `io` must not run any more when this is destroyed.
  RtcTimer(boost::asio::io_context& io, CmosRtc& rtc) : io_(io), timer_(io), rtc_(rtc) {
    rtc.set_deadline_listener(*this);
  }

  void rearm() noexcept override;

 private:
  void arm();

  boost::asio::io_context& io_;
  boost::asio::system_timer timer_;
  CmosRtc& rtc_;
};

}  // namespace kvmbench
