#include "hostio/network/wake_event.hpp"

#include <sys/eventfd.h>

#include <cstdint>

#include "base/error.hpp"

namespace kvmbench::hostio {

WakeEvent::WakeEvent() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw HostError::from_errno("eventfd");
}

void WakeEvent::ring() noexcept {
  // It can fail only where 2^64 - 2 rings wait: then it is readable all the same.
  static_cast<void>(::eventfd_write(event_.get(), 1));
}

void WakeEvent::answer() noexcept {
  std::uint64_t rings = 0;
  static_cast<void>(::eventfd_read(event_.get(), &rings));
}

}  // namespace kvmbench::hostio
