/// Feature bits (VIRTIO 1.2, 2.2), by the numbers that <linux/virtio_*.h> gives them.
#pragma once

#include <cstdint>

namespace kvmbench::virtio {

[[nodiscard]] constexpr std::uint64_t feature(unsigned number) noexcept {
  return std::uint64_t{1} << number;
}

}  // namespace kvmbench::virtio
