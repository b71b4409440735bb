/// A timer of the host, which calls a device back on a thread of its own.
#pragma once

#include <cstdint>

namespace kvmbench {

class AlarmListener {
 public:
  virtual ~AlarmListener() = default;
  /// The time that was set has come. Alarms do not overlap, and each set() is followed by one, or by that of
  /// a later set(); one too many does no harm.
  virtual void alarm() noexcept = 0;
};

class Alarm {
 public:
  /// At once.
  static constexpr std::uint64_t now = 0;

  virtual ~Alarm() = default;
  /// Calls alarm() once HostMonotonicClock shows `nanoseconds`, and not at the time that was set before. Any
  /// thread, with the device's lock held: it neither calls back, nor waits, nor allocates.
  virtual void set(std::uint64_t nanoseconds) noexcept = 0;
};

}  // namespace kvmbench
