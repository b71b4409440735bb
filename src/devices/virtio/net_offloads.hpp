/// Checksums and segmentation between a driver, which negotiates them by feature bits, and a NetworkBackend
/// (VIRTIO 1.2, 5.1.3 and 5.1.6).
#pragma once

#include <cstdint>

#include "devices/linux_virtio_net.hpp"
#include "devices/network_backend.hpp"

namespace kvmbench::virtio {

/// The feature bits for what the host's side can do, in both directions.
[[nodiscard]] std::uint64_t offload_features(const NetworkOffloads& host) noexcept;

/// What the driver may leave to the device, by the features HOST_* and CSUM.
[[nodiscard]] NetworkOffloads host_offloads(std::uint64_t features) noexcept;
/// What the device may leave to the driver, by the features GUEST_*; also the layout of
/// VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET.
[[nodiscard]] NetworkOffloads guest_offloads(std::uint64_t features) noexcept;

/// Whether a frame may pass with `header` where only `allowed` may be left to do. Clears what of the header
/// then means nothing.
[[nodiscard]] bool permit(FrameHeader& header, const NetworkOffloads& allowed) noexcept;

}  // namespace kvmbench::virtio
