#include "devices/virtio/net_device.hpp"

#include <linux/virtio_ids.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "devices/linux_virtio_net.hpp"
#include "devices/virtio/features.hpp"
#include "devices/virtio/net_offloads.hpp"

namespace kvmbench::virtio {
namespace {

constexpr std::size_t ethernet_header_size = 14;
constexpr std::uint16_t least_mtu = 68;  // 5.1.4.1

std::uint64_t features_over(const NetworkBackend& backend) noexcept {
  std::uint64_t features = feature(VIRTIO_NET_F_MAC) | feature(VIRTIO_NET_F_STATUS) |
                           feature(VIRTIO_NET_F_MRG_RXBUF) | feature(VIRTIO_NET_F_CTRL_VQ) |
                           feature(VIRTIO_NET_F_CTRL_RX) | feature(VIRTIO_NET_F_CTRL_RX_EXTRA) |
                           feature(VIRTIO_NET_F_CTRL_MAC_ADDR);
  if (backend.mtu() >= least_mtu) features |= feature(VIRTIO_NET_F_MTU);
  return features | offload_features(backend.offloads());
}

}  // namespace

NetDevice::NetDevice(std::string name, const GuestMemory& memory, NetworkBackend& backend,
                     const MacAddress& address)
    : VirtioDevice(std::move(name), VIRTIO_ID_NET, memory, {queue_size, queue_size, control_queue_size}),
      backend_(backend),
      default_address_(address),
      features_(features_over(backend)),
      address_(address),
      buffers_(queue(receive_queue)) {
  pieces_.reserve(Chain::max_descriptors);
}

std::uint32_t NetDevice::config_size() const noexcept {
  return offsetof(virtio_net_config, speed);
}

void NetDevice::read_config(std::uint32_t offset, std::span<std::byte> to) noexcept {
  virtio_net_config config{};
  std::copy(default_address_.bytes.begin(), default_address_.bytes.end(), config.mac);
  config.status = backend_.link_up() ? VIRTIO_NET_S_LINK_UP : 0;
  config.max_virtqueue_pairs = 1;
  config.mtu = backend_.mtu();
  std::memcpy(to.data(), reinterpret_cast<const std::byte*>(&config) + offset, to.size());
}

std::string_view NetDevice::config_name(std::uint64_t offset) const noexcept {
  if (offset < MacAddress::size) return "mac";  // which drivers read by the byte
  switch (offset) {
    case offsetof(virtio_net_config, status):
      return "status";
    case offsetof(virtio_net_config, max_virtqueue_pairs):
      return "max_virtqueue_pairs";
    case offsetof(virtio_net_config, mtu):
      return "mtu";
    default:
      return {};
  }
}

void NetDevice::start(std::uint64_t features) {
  negotiated_ = features;
  host_offloads_ = host_offloads(features);
  const NetworkOffloads accepted = guest_offloads(features);
  {
    const std::lock_guard lock(receive_mutex_);
    started_ = true;
    guest_offloads_ = accepted;
    // Without the commands that set the filter there is none.
    filter_.modes.promiscuous = (features & feature(VIRTIO_NET_F_CTRL_RX)) == 0;
  }
  backend_.accept_offloads(accepted);
  backend_.room();
}

void NetDevice::cancel() noexcept {
  const std::lock_guard lock(receive_mutex_);
  buffers_.give_back();
}

void NetDevice::reset() noexcept {
  {
    const std::lock_guard lock(receive_mutex_);
    started_ = false;
    buffers_.give_back();
    guest_offloads_ = {};
    filter_ = {};
    address_ = default_address_;
  }
  backend_.accept_offloads({});
  backend_.room();  // for a frame that waits: it is for nobody
}

void NetDevice::process(unsigned number) {
  switch (number) {
    case receive_queue: {
      {
        const std::lock_guard lock(receive_mutex_);
      }  // behind a receive() that has found no room
      backend_.room();
      break;
    }
    case transmit_queue:
      transmit();
      break;
    default:
      control();
      break;
  }
}

void NetDevice::transmit() {
  Virtqueue& requests = queue(transmit_queue);
  do {
    requests.silence();
    while (requests.pop(chain_)) {
      if (!send(chain_.readable)) counters_.send_dropped();
      requests.push(chain_, 0);
    }
    requests.signal();
  } while (!requests.listen());
}

/// 5.1.6.2: the header, then the frame. False for one that is dropped.
bool NetDevice::send(const Request& request) noexcept {
  auto header = request.load<FrameHeader>(0);
  if (!header || !permit(*header, host_offloads_)) return false;
  header->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
  header->num_buffers = 0;
  const std::size_t size = request.size() - sizeof *header;
  if (size < ethernet_header_size || size > max_frame_size) return false;
  pieces_.clear();
  request.visit(sizeof *header, size, [this](auto piece) { pieces_.push_back(piece); });
  if (!backend_.send({.header = *header, .pieces = pieces_})) return false;
  counters_.sent(size);
  return true;
}

bool NetDevice::receive(const FrameHeader& header, std::span<const std::byte> frame) noexcept {
  const std::lock_guard lock(receive_mutex_);
  if (!started_) return true;
  if (frame.size() < ethernet_header_size) {
    counters_.receive_dropped();
    return true;
  }
  if (!filter_.accepts(destination_of(frame), address_)) return true;
  FrameHeader shown = header;
  if (!permit(shown, guest_offloads_)) {
    counters_.receive_dropped();
    return true;
  }
  const bool mergeable = (negotiated_ & feature(VIRTIO_NET_F_MRG_RXBUF)) != 0;
  switch (buffers_.store(shown, frame, mergeable)) {
    case ReceiveBuffers::Outcome::stored:
      counters_.received(frame.size());
      return true;
    case ReceiveBuffers::Outcome::too_long:
      counters_.receive_dropped();
      return true;
    case ReceiveBuffers::Outcome::no_room:
      break;
  }
  return false;
}

}  // namespace kvmbench::virtio
