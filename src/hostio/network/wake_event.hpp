/// Wakes a thread that waits in poll(2), by one write to an eventfd.
#pragma once

#include "base/unique_fd.hpp"

namespace kvmbench::hostio {

class WakeEvent final {
 public:
  /// Throws HostError.
  WakeEvent();

  /// Any thread.
  void ring() noexcept;
  /// All rings until now are answered.
  void answer() noexcept;
  /// Readable from a ring until it is answered.
  [[nodiscard]] int fd() const noexcept { return event_.get(); }

 private:
  UniqueFd event_;
};

}  // namespace kvmbench::hostio
