/// gzip files (RFC 1952).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm/boot/boot.hpp"

namespace kvmbench::boot {

[[nodiscard]] bool is_gzip(std::span<const std::byte> bytes);

/// What `file` unpacks to: all of its members, one after the other; what follows them that is none is
/// ignored, as gzip does. Throws UsageError where the file is damaged, cut off, or unpacks to more than
/// `limit` bytes.
[[nodiscard]] std::vector<std::byte> gunzip(const File& file, std::uint64_t limit);

}  // namespace kvmbench::boot
