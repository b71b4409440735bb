/// A ring of descriptors in the guest's memory (3.2.6, 3.4), as its five registers describe it now.
#pragma once

#include <cstdint>

#include "devices/e1000/descriptors.hpp"
#include "devices/e1000/register_file.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::e1000 {

/// Where a ring's registers are; the others follow at the same distances for both rings.
inline constexpr std::uint32_t receive_ring = reg::rdbal, transmit_ring = reg::tdbal;

class Ring final {
 public:
  Ring(RegisterFile& registers, std::uint32_t first) noexcept : registers_(registers), first_(first) {}

  /// Descriptors in the ring.
  [[nodiscard]] std::uint32_t size() const noexcept {
    return registers_[first_ + 8] / static_cast<std::uint32_t>(descriptor_size);
  }
  /// Of those, how many are the hardware's: from the head up to the tail. None where one of the two lies
  /// outside of the ring, as a guest may have it.
  [[nodiscard]] std::uint32_t available() const noexcept {
    const std::uint32_t all = size(), first = head(), end = registers_[first_ + 0x18];
    if (first >= all || end >= all) return 0;
    return end >= first ? end - first : all - first + end;
  }
  /// Where the descriptor at the head is.
  [[nodiscard]] Gpa next() const noexcept {
    const std::uint64_t base = std::uint64_t{registers_[first_ + 4]} << 32 | registers_[first_];
    return Gpa{base} + head() * descriptor_size;
  }
  /// Hands the descriptor at the head back to software.
  void advance() noexcept {
    const std::uint32_t after = head() + 1;
    registers_[first_ + 0x10] = after < size() ? after : 0;
  }

 private:
  [[nodiscard]] std::uint32_t head() const noexcept { return registers_[first_ + 0x10]; }

  RegisterFile& registers_;
  const std::uint32_t first_;
};

static_assert(reg::rdbah - reg::rdbal == 4 && reg::tdbah - reg::tdbal == 4);
static_assert(reg::rdlen - reg::rdbal == 8 && reg::tdlen - reg::tdbal == 8);
static_assert(reg::rdh - reg::rdbal == 0x10 && reg::tdh - reg::tdbal == 0x10);
static_assert(reg::rdt - reg::rdbal == 0x18 && reg::tdt - reg::tdbal == 0x18);

}  // namespace kvmbench::e1000
