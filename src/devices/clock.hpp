/// The clocks that devices read; tests put their own in place of the host's.
#pragma once

#include <chrono>
#include <cstdint>

namespace kvmbench {

/// Time of day (UTC). May be stepped, also backwards.
class WallClock {
 public:
  using TimePoint = std::chrono::sys_time<std::chrono::nanoseconds>;

  virtual ~WallClock() = default;
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
};

/// Nanoseconds since a start of its own; never goes back.
class MonotonicClock {
 public:
  virtual ~MonotonicClock() = default;
  [[nodiscard]] virtual std::uint64_t nanoseconds() const noexcept = 0;
};

class HostWallClock final : public WallClock {
 public:
  [[nodiscard]] TimePoint now() const noexcept override { return std::chrono::system_clock::now(); }
};

class HostMonotonicClock final : public MonotonicClock {
 public:
  [[nodiscard]] std::uint64_t nanoseconds() const noexcept override {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(since_start).count());
  }
};

}  // namespace kvmbench
