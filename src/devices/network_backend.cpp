#include "devices/network_backend.hpp"

#include <algorithm>
#include <cstring>

namespace kvmbench {

std::size_t copy_frame(const OutgoingFrame& frame, std::span<std::byte> to) noexcept {
  std::size_t copied = 0;
  for (const auto piece : frame.pieces) {
    const std::size_t count = std::min(piece.size(), to.size() - copied);
    if (count != 0) std::memcpy(to.data() + copied, piece.data(), count);
    copied += count;
  }
  return copied;
}

}  // namespace kvmbench
