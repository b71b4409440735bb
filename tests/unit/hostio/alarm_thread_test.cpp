#include "hostio/alarm_thread.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "devices/clock.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

/// Counts alarms, and the time of the last one.
class Listener final : public AlarmListener {
 public:
  void alarm() noexcept override {
    const std::lock_guard lock(mutex_);
    ++count_;
    last_ = clock_.nanoseconds();
    came_.notify_all();
  }
  std::uint64_t wait_for(unsigned count) {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [this, count] { return count_ >= count; });
    return last_;
  }
  [[nodiscard]] std::uint64_t now() const { return clock_.nanoseconds(); }

 private:
  HostMonotonicClock clock_;
  std::mutex mutex_;
  std::condition_variable came_;
  unsigned count_ = 0;
  std::uint64_t last_ = 0;
};

constexpr std::uint64_t millisecond = 1'000'000;

}  // namespace

TEST_CASE("an alarm comes, and not before its time", "[alarm]") {
  Listener listener;
  AlarmThread alarm("test-alarm");
  alarm.start(listener);
  const std::uint64_t at = listener.now() + 20 * millisecond;
  alarm.set(at);
  CHECK(listener.wait_for(1) >= at);
  alarm.set(Alarm::now);
  listener.wait_for(2);
  alarm.set(at);  // which is past
  listener.wait_for(3);
}

TEST_CASE("a later setting takes the place of the one before", "[alarm]") {
  Listener listener;
  AlarmThread alarm("test-alarm");
  alarm.start(listener);
  alarm.set(listener.now() + 1000'000 * millisecond);
  alarm.set(Alarm::now);
  listener.wait_for(1);
  const std::uint64_t at = listener.now() + 30 * millisecond;
  alarm.set(listener.now() + 1000'000 * millisecond);
  alarm.set(at);
  CHECK(listener.wait_for(2) >= at);
}

TEST_CASE("an alarm that was set before the thread began comes", "[alarm]") {
  Listener listener;
  AlarmThread alarm("test-alarm");
  alarm.set(Alarm::now);
  alarm.start(listener);
  listener.wait_for(1);
}

TEST_CASE("stopping waits for no alarm, also where one is being set", "[alarm]") {
  for (int round = 0; round < 50; ++round) {
    Listener listener;
    AlarmThread alarm("test-alarm");
    alarm.start(listener);
    std::thread setter([&] {
      for (int i = 0; i < 100; ++i) alarm.set(listener.now() + 1000'000 * millisecond);
    });
    alarm.stop();
    setter.join();
    alarm.stop();
  }
  AlarmThread never_started("test-alarm");
  never_started.stop();
}
