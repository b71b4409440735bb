/// From descriptors to a checked chain: what split and packed rings have in common.
#pragma once

#include <cstdint>

#include "devices/virtio/chain.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::virtio {

class ChainBuilder final {
 public:
  /// Empties `chain`.
  ChainBuilder(const GuestMemory& memory, Chain& chain) noexcept;

  /// Appends a buffer. Faults: length 0, outside memory, readable after writable, more than 4 GiB in all.
  [[nodiscard]] Fault add(std::uint64_t address, std::uint32_t length, bool writable);

  /// The bytes of an indirect table, which are `length / 16` descriptors; empty, with `fault` set, where they
  /// cannot be.
  [[nodiscard]] std::span<const std::byte> indirect_table(std::uint64_t address, std::uint32_t length,
                                                          Fault& fault) const noexcept;

 private:
  const GuestMemory& memory_;
  Chain& chain_;
  std::uint64_t total_ = 0;
};

}  // namespace kvmbench::virtio
