/// Notifications held back on the device's side, so that one serves for many requests.
///
/// Interrupts: the one for used buffers is held until `batch` requests have been answered since the last, or
/// the time has passed since the first of them. The driver's own suppression holds as well.
///
/// Doorbells: a device that is rung for looks into the queue only when `batch` requests are there, or the
/// time has passed. Meanwhile, and after it has served what there was, it asks for the doorbell of the
/// batch-th request from then on (EVENT_IDX; without it, for none) and looks again each time the time has
/// passed; when it finds nothing then, the next request rings again. In packed queues descriptors count, an
/// indirect table as one.
///
/// With a time of 0 they are let go when the device's thread comes round: what came while it was busy shares
/// a notification, and nothing waits longer.
///
/// All of a device's queues share its timer, so that what is held may be let go before its own time.
#pragma once

#include <chrono>
#include <cstdint>

namespace kvmbench::virtio {

struct Coalescing {
  std::uint16_t batch = 1;  ///< requests; 1: nothing is held
  std::chrono::nanoseconds timeout{0};
  bool doorbells = false;
  bool interrupts = false;
};

}  // namespace kvmbench::virtio
