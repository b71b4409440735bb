// The commands of a network device's control queue (VIRTIO 1.2, 5.1.6.5).
#include <algorithm>
#include <array>
#include <optional>

#include "devices/linux_virtio_net.hpp"
#include "devices/virtio/net_device.hpp"
#include "devices/virtio/net_offloads.hpp"

namespace kvmbench::virtio {
namespace {

constexpr std::size_t command_size = sizeof(virtio_net_ctrl_hdr);

std::optional<MacAddress> address_at(const Buffers<const std::byte>& request, std::uint64_t offset) noexcept {
  return request.load<MacAddress>(offset);
}

/// virtio_net_ctrl_mac at `offset`: a count, and as many addresses. Moves `offset` behind it; false where it
/// is not there whole.
bool read_table(const Buffers<const std::byte>& request, std::uint64_t& offset,
                ReceiveFilter::Table& table) noexcept {
  const auto entries = request.load<std::uint32_t>(offset);
  if (!entries) return false;
  offset += sizeof *entries;
  if (std::uint64_t{*entries} * MacAddress::size > request.size() - offset) return false;
  // Beyond its capacity it makes no difference to the table how many more there are.
  const std::uint64_t counted = std::min<std::uint64_t>(*entries, ReceiveFilter::Table::capacity + 1);
  for (std::uint64_t i = 0; i < counted; ++i) {
    const auto address = address_at(request, offset + i * MacAddress::size);
    if (!address) return false;
    table.add(*address);
  }
  offset += std::uint64_t{*entries} * MacAddress::size;
  return true;
}

}  // namespace

void NetDevice::control() {
  Virtqueue& requests = queue(control_queue);
  requests.drain(chain_, [&](const Chain& request) {
    if (request.writable.size() < sizeof(virtio_net_ctrl_ack)) {
      requests.fail("a control command without room for its answer");
      requests.push(request, 0);
      return;
    }
    const virtio_net_ctrl_ack ack = obey(request.readable) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
    static_cast<void>(request.writable.store(0, ack));
    requests.complete(request, sizeof ack);
  });
}

bool NetDevice::obey(const Request& request) noexcept {
  const auto header = request.load<virtio_net_ctrl_hdr>(0);
  if (!header) return false;
  switch (header->command_class) {
    case VIRTIO_NET_CTRL_RX:
      return set_receive_mode(header->cmd, request);
    case VIRTIO_NET_CTRL_MAC:
      return set_address(header->cmd, request);
    case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
      return set_guest_offloads(header->cmd, request);
    default:
      return false;
  }
}

bool NetDevice::set_receive_mode(std::uint8_t command, const Request& request) noexcept {
  using Modes = ReceiveFilter::Modes;
  // In the order of the commands' numbers, 0 to 5.
  static constexpr std::array<bool Modes::*, 6> modes = {&Modes::promiscuous, &Modes::all_multicast,
                                                         &Modes::all_unicast, &Modes::no_multicast,
                                                         &Modes::no_unicast,  &Modes::no_broadcast};
  static_assert(VIRTIO_NET_CTRL_RX_PROMISC == 0 && VIRTIO_NET_CTRL_RX_NOBCAST == 5);
  const unsigned feature = command <= VIRTIO_NET_CTRL_RX_ALLMULTI ? unsigned{VIRTIO_NET_F_CTRL_RX}
                                                                  : unsigned{VIRTIO_NET_F_CTRL_RX_EXTRA};
  const auto on = request.load<std::uint8_t>(command_size);
  if (command >= modes.size() || !on || (negotiated_ >> feature & 1) == 0) return false;
  const std::lock_guard lock(receive_mutex_);
  filter_.modes.*modes[command] = *on != 0;
  return true;
}

bool NetDevice::set_address(std::uint8_t command, const Request& request) noexcept {
  if (command == VIRTIO_NET_CTRL_MAC_TABLE_SET) return set_address_tables(request);
  if (command != VIRTIO_NET_CTRL_MAC_ADDR_SET || (negotiated_ >> VIRTIO_NET_F_CTRL_MAC_ADDR & 1) == 0) {
    return false;
  }
  const auto address = address_at(request, command_size);
  if (!address) return false;
  const std::lock_guard lock(receive_mutex_);
  address_ = *address;
  return true;
}

bool NetDevice::set_address_tables(const Request& request) noexcept {
  if ((negotiated_ >> VIRTIO_NET_F_CTRL_RX & 1) == 0) return false;
  ReceiveFilter::Table unicast, multicast;
  std::uint64_t offset = command_size;
  if (!read_table(request, offset, unicast) || !read_table(request, offset, multicast)) return false;
  const std::lock_guard lock(receive_mutex_);
  filter_.unicast = unicast;
  filter_.multicast = multicast;
  return true;
}

bool NetDevice::set_guest_offloads(std::uint8_t command, const Request& request) noexcept {
  const auto wanted = request.load<std::uint64_t>(command_size);
  const bool negotiated = (negotiated_ >> VIRTIO_NET_F_CTRL_GUEST_OFFLOADS & 1) != 0;
  if (command != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET || !wanted || !negotiated) return false;
  if ((*wanted & ~negotiated_) != 0) return false;
  const NetworkOffloads accepted = guest_offloads(*wanted);
  {
    const std::lock_guard lock(receive_mutex_);
    guest_offloads_ = accepted;
  }
  backend_.accept_offloads(accepted);
  return true;
}

}  // namespace kvmbench::virtio
