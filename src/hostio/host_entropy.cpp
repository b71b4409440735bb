#include "hostio/host_entropy.hpp"

#include <sys/random.h>

#include <cerrno>

namespace kvmbench::hostio {

std::size_t HostEntropy::fill(std::span<std::byte> to) noexcept {
  std::size_t filled = 0;
  while (filled < to.size()) {
    const ssize_t count = ::getrandom(to.data() + filled, to.size() - filled, 0);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) filled += static_cast<std::size_t>(count);
  }
  return filled;
}

}  // namespace kvmbench::hostio
