#include "devices/virtio/receive_filter.hpp"

#include <algorithm>

namespace kvmbench::virtio {

void ReceiveFilter::Table::add(const MacAddress& address) noexcept {
  if (count_ < capacity) addresses_[count_] = address;
  if (count_ <= capacity) ++count_;
}

bool ReceiveFilter::Table::has(const MacAddress& address) const noexcept {
  if (count_ > capacity) return true;
  const auto* const end = addresses_.data() + count_;
  return std::find(addresses_.data(), end, address) != end;
}

bool ReceiveFilter::accepts(const MacAddress& destination, const MacAddress& own) const noexcept {
  if (modes.promiscuous) return true;
  if (destination.broadcast()) return !modes.no_broadcast;
  if (destination.multicast()) {
    return !modes.no_multicast && (modes.all_multicast || multicast.has(destination));
  }
  return !modes.no_unicast && (modes.all_unicast || destination == own || unicast.has(destination));
}

}  // namespace kvmbench::virtio
