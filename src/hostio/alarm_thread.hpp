/// A device's alarm on a thread of its own, by a timer descriptor: setting it is one system call, and wakes
/// nobody before its time.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "devices/alarm.hpp"

namespace kvmbench::hostio {

class AlarmThread final : public Alarm {
 public:
  /// `name` is the thread's, of at most 15 characters. Throws HostError.
  explicit AlarmThread(std::string name);
  AlarmThread(const AlarmThread&) = delete;
  AlarmThread& operator=(const AlarmThread&) = delete;
  ~AlarmThread() override { stop(); }

  void set(std::uint64_t nanoseconds) noexcept override;

  /// Alarms go to `listener` from now on; one that was set before comes, too. Once. Throws HostError.
  void start(AlarmListener& listener);
  /// Waits until an alarm under way is over; none comes afterwards. Before the listener is gone.
  void stop() noexcept;

 private:
  void run(AlarmListener& listener) noexcept;

  const std::string name_;
  UniqueFd timer_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace kvmbench::hostio
