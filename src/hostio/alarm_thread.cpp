#include "hostio/alarm_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>
#include <utility>

#include "base/error.hpp"

namespace kvmbench::hostio {

namespace {

constexpr std::uint64_t second = 1'000'000'000;

}  // namespace

AlarmThread::AlarmThread(std::string name)
    : name_(std::move(name)), timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
  if (!timer_) throw HostError::from_errno(fmt::format("{}: timerfd_create", name_));
}

void AlarmThread::set(std::uint64_t nanoseconds) noexcept {
  itimerspec at{};
  at.it_value.tv_sec = static_cast<std::time_t>(nanoseconds / second);
  at.it_value.tv_nsec = static_cast<long>(nanoseconds % second);
  if (nanoseconds == now) at.it_value.tv_nsec = 1;  // 0 would disarm it; any time that is past is at once
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
  // stop() has set it to now, perhaps before this: the thread must not sleep through its end.
  if (nanoseconds != now && stopping_.load()) set(now);
}

void AlarmThread::start(AlarmListener& listener) {
  try {
    thread_ = std::thread([this, &listener] { run(listener); });
  } catch (const std::system_error& error) {
    throw HostError(fmt::format("{}: cannot start a thread: {}", name_, error.what()));
  }
}

void AlarmThread::stop() noexcept {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  set(now);
  thread_.join();
}

void AlarmThread::run(AlarmListener& listener) noexcept {
  ::pthread_setname_np(::pthread_self(), name_.c_str());
  for (;;) {
    std::uint64_t expirations = 0;
    const ssize_t taken = ::read(timer_.get(), &expirations, sizeof expirations);
    if (stopping_.load()) return;
    if (taken == sizeof expirations) listener.alarm();
  }
}

}  // namespace kvmbench::hostio
