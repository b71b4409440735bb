/// Signals that end a command which waits.
#pragma once

#include <chrono>
#include <csignal>

#include "base/unique_fd.hpp"

namespace kvmbench::cli {

/// SIGINT, SIGTERM and SIGHUP are waited for, not handled, until this is destroyed.
class EndSignals final {
 public:
  /// Throws HostError.
  EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals();

  enum class Woken { signal, input, time };
  /// Until a signal comes, or `input` can be read (-1: none), or the time has come.
  [[nodiscard]] Woken wait(std::chrono::steady_clock::time_point until, int input) const;

 private:
  sigset_t set_{}, before_{};
  UniqueFd signals_;
};

}  // namespace kvmbench::cli
