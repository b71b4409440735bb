/// The registers of virtio over MMIO by name (VIRTIO 1.2, 4.2.2, table 4.1).
#pragma once

#include <cstdint>
#include <string_view>

namespace kvmbench::virtio {

/// "" where no control register begins at `offset`.
[[nodiscard]] std::string_view mmio_register_name(std::uint64_t offset) noexcept;

}  // namespace kvmbench::virtio
