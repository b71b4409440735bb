#include "vmm/interrupt_lines.hpp"

#include <unistd.h>

#include <cstdint>

namespace kvmbench {

void IrqfdLine::set(bool asserted) noexcept {
  if (asserted_.exchange(asserted) || !asserted) return;
  const std::uint64_t one = 1;
  // It fails only where 2^64 - 2 edges wait to be taken: then one more changes nothing.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof(one));
}

}  // namespace kvmbench
