#include "devices/virtio/net_offloads.hpp"

#include "devices/virtio/features.hpp"

namespace kvmbench::virtio {
namespace {

constexpr bool has(std::uint64_t features, unsigned number) noexcept {
  return (features & feature(number)) != 0;
}

}  // namespace

std::uint64_t offload_features(const NetworkOffloads& host) noexcept {
  std::uint64_t features = 0;
  if (!host.checksum) return features;
  features |= feature(VIRTIO_NET_F_CSUM) | feature(VIRTIO_NET_F_GUEST_CSUM) |
              feature(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
  if (host.tso4) features |= feature(VIRTIO_NET_F_HOST_TSO4) | feature(VIRTIO_NET_F_GUEST_TSO4);
  if (host.tso6) features |= feature(VIRTIO_NET_F_HOST_TSO6) | feature(VIRTIO_NET_F_GUEST_TSO6);
  if (host.ecn) features |= feature(VIRTIO_NET_F_HOST_ECN) | feature(VIRTIO_NET_F_GUEST_ECN);
  if (host.ufo) features |= feature(VIRTIO_NET_F_HOST_UFO) | feature(VIRTIO_NET_F_GUEST_UFO);
  return features;
}

// 5.1.3.1: the others require the checksum, ECN one of the two TSO.

NetworkOffloads host_offloads(std::uint64_t features) noexcept {
  if (!has(features, VIRTIO_NET_F_CSUM)) return {};
  return {.checksum = true,
          .tso4 = has(features, VIRTIO_NET_F_HOST_TSO4),
          .tso6 = has(features, VIRTIO_NET_F_HOST_TSO6),
          .ecn = has(features, VIRTIO_NET_F_HOST_ECN),
          .ufo = has(features, VIRTIO_NET_F_HOST_UFO)};
}

NetworkOffloads guest_offloads(std::uint64_t features) noexcept {
  if (!has(features, VIRTIO_NET_F_GUEST_CSUM)) return {};
  return {.checksum = true,
          .tso4 = has(features, VIRTIO_NET_F_GUEST_TSO4),
          .tso6 = has(features, VIRTIO_NET_F_GUEST_TSO6),
          .ecn = has(features, VIRTIO_NET_F_GUEST_ECN),
          .ufo = has(features, VIRTIO_NET_F_GUEST_UFO)};
}

bool permit(FrameHeader& header, const NetworkOffloads& allowed) noexcept {
  if (!allowed.checksum) header.flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
  header.flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID;
  const bool needs_checksum = (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
  if (needs_checksum && !allowed.checksum) return false;
  if (!needs_checksum) header.csum_start = header.csum_offset = 0;

  const bool ecn = (header.gso_type & VIRTIO_NET_HDR_GSO_ECN) != 0;
  if (ecn && !allowed.ecn) return false;
  switch (header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
      header.gso_type = VIRTIO_NET_HDR_GSO_NONE;
      header.hdr_len = header.gso_size = 0;
      return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
      return allowed.tso4;
    case VIRTIO_NET_HDR_GSO_TCPV6:
      return allowed.tso6;
    case VIRTIO_NET_HDR_GSO_UDP:
      return allowed.ufo;
    default:
      return false;
  }
}

}  // namespace kvmbench::virtio
