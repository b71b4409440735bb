#include "devices/network_counters.hpp"

namespace kvmbench {

std::vector<Operation> NetworkCounters::operations() const {
  const auto load = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  const std::uint64_t packets_sent = load(packets_sent_), packets_received = load(packets_received_);
  const std::uint64_t bytes_sent = load(bytes_sent_), bytes_received = load(bytes_received_);
  return {{"packets", packets_sent + packets_received},
          {"bytes", bytes_sent + bytes_received},
          {"packets sent", packets_sent},
          {"bytes sent", bytes_sent},
          {"packets received", packets_received},
          {"bytes received", bytes_received},
          {"sends dropped", load(sends_dropped_)},
          {"receives dropped", load(receives_dropped_)}};
}

}  // namespace kvmbench
