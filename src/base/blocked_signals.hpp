/// Threads that no signal reaches: signals are for the threads that know what to do with them.
#pragma once

#include <pthread.h>

#include <csignal>

namespace kvmbench {

/// While it lives, this thread blocks signals, as do the threads that it starts, for good.
class BlockedSignals final {
 public:
  /// All of them, or all but one.
  explicit BlockedSignals(int all_but = 0) noexcept {
    sigset_t blocked;
    ::sigfillset(&blocked);
    if (all_but != 0) ::sigdelset(&blocked, all_but);
    ::pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace kvmbench
