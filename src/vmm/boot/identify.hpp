/// What a file that cannot be booted is, for the message that says so.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace kvmbench::boot {

/// "an xz-compressed file", or, of what is not known, its first bytes.
[[nodiscard]] std::string describe(std::span<const std::byte> bytes);

/// The formats that can be booted, for the same message.
[[nodiscard]] std::string supported_formats();

}  // namespace kvmbench::boot
