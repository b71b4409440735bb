#pragma once

#include <cstdint>

namespace kvmbench {

/// Which way an access moves data, as the guest sees it; none where an exit has no direction.
enum class Direction : std::uint8_t { none, read, write };

}  // namespace kvmbench
