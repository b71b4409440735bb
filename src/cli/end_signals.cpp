#include "cli/end_signals.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace kvmbench::cli {

using std::chrono::steady_clock;

EndSignals::EndSignals() {
  sigemptyset(&set_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
  pthread_sigmask(SIG_BLOCK, &set_, &before_);
  signals_.reset(::signalfd(-1, &set_, SFD_CLOEXEC));
  if (!signals_) throw HostError(fmt::format("cannot wait for signals: {}", std::strerror(errno)));
}

EndSignals::~EndSignals() {
  // One that has come is not delivered a second time, by its default.
  const timespec at_once{};
  while (::sigtimedwait(&set_, nullptr, &at_once) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

EndSignals::Woken EndSignals::wait(steady_clock::time_point until, int input) const {
  std::array<pollfd, 2> waited{pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = input, .events = POLLIN, .revents = 0}};
  const auto left = std::max(until - steady_clock::now(), steady_clock::duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec time{.tv_sec = whole.count(),
                      .tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(left - whole).count()};
  if (::ppoll(waited.data(), waited.size(), &time, nullptr) <= 0) return Woken::time;
  if (waited[0].revents != 0) return Woken::signal;
  return waited[1].revents != 0 ? Woken::input : Woken::time;
}

}  // namespace kvmbench::cli
