#include "devices/virtio/chain_builder.hpp"

#include <limits>

#include "devices/virtio/ring_memory.hpp"

namespace kvmbench::virtio {

ChainBuilder::ChainBuilder(const GuestMemory& memory, Chain& chain) noexcept
    : memory_(memory), chain_(chain) {
  chain.readable.clear();
  chain.writable.clear();
}

Fault ChainBuilder::add(std::uint64_t address, std::uint32_t length, bool writable) {
  if (length == 0) return "a descriptor of length 0";
  // 2.7.5 and 2.8.5: all buffers of a chain together are at most 4 GiB; the length that a device returns has
  // 32 bits.
  total_ += length;
  if (total_ > std::numeric_limits<std::uint32_t>::max()) return "a chain of more than 4 GiB";
  const std::span<std::byte> bytes = memory_.range(Gpa{address}, length);
  if (bytes.empty()) return "a buffer outside guest memory";
  if (writable) {
    chain_.writable.append(bytes);
    return nullptr;
  }
  if (chain_.writable.size() != 0) return "a readable descriptor behind a writable one";
  chain_.readable.append(bytes);
  return nullptr;
}

std::span<const std::byte> ChainBuilder::indirect_table(std::uint64_t address, std::uint32_t length,
                                                        Fault& fault) const noexcept {
  if (length == 0 || length % descriptor_size != 0) {
    fault = "an indirect table whose length is not that of whole descriptors";
    return {};
  }
  if (length / descriptor_size > Chain::max_descriptors) {
    fault = "an indirect table of too many descriptors";
    return {};
  }
  const std::span<const std::byte> table = memory_.range(Gpa{address}, length);
  if (table.empty()) fault = "an indirect table outside guest memory";
  return table;
}

}  // namespace kvmbench::virtio
