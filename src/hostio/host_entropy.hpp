/// The host's random numbers, for virtio-rng.
#pragma once

#include "devices/virtio/entropy_device.hpp"

namespace kvmbench::hostio {

/// getrandom(2), from the pool that never runs dry.
class HostEntropy final : public virtio::EntropySource {
 public:
  std::size_t fill(std::span<std::byte> to) noexcept override;
};

}  // namespace kvmbench::hostio
