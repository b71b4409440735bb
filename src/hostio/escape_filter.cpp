#include "hostio/escape_filter.hpp"

namespace kvmbench::hostio {

EscapeFilter::Result EscapeFilter::filter(std::span<const std::uint8_t> typed,
                                          std::span<std::uint8_t> to_guest) noexcept {
  std::size_t size = 0;
  for (const std::uint8_t key : typed) {
    if (!prefixed_ && key == prefix) {
      prefixed_ = true;
      continue;
    }
    if (prefixed_ && key == leave_key) {
      prefixed_ = false;
      return {size, true};
    }
    if (prefixed_ && key != prefix) to_guest[size++] = prefix;
    prefixed_ = false;
    to_guest[size++] = key;
  }
  return {size, false};
}

}  // namespace kvmbench::hostio
