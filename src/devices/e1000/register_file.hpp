/// The registers that are nothing but 32 bits of memory, by their offset in the memory BAR.
#pragma once

#include <array>
#include <cstdint>

#include "devices/e1000/registers.hpp"

namespace kvmbench::e1000 {

class RegisterFile final {
 public:
  static constexpr std::uint32_t size = reg::ffvt_end;

  /// `offset`: a multiple of 4 below size.
  [[nodiscard]] std::uint32_t& operator[](std::uint32_t offset) noexcept { return values_[offset / 4]; }
  [[nodiscard]] std::uint32_t operator[](std::uint32_t offset) const noexcept { return values_[offset / 4]; }

  void clear() noexcept { values_.fill(0); }

 private:
  std::array<std::uint32_t, size / 4> values_{};
};

}  // namespace kvmbench::e1000
