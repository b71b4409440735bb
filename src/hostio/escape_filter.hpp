/// Ctrl-a in what the user types: `Ctrl-a x` leaves, `Ctrl-a Ctrl-a` is one Ctrl-a for the guest; Ctrl-a
/// before anything else is an ordinary character, and both go to the guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kvmbench::hostio {

class EscapeFilter final {
 public:
  static constexpr std::uint8_t prefix = 0x01;  // Ctrl-a
  static constexpr std::uint8_t leave_key = 'x';

  struct Result {
    std::size_t size;  // bytes written to to_guest
    bool leave;        // the user wants to leave: what was typed after that is dropped
  };

  /// A Ctrl-a at the end of `typed` is kept for the next call; `to_guest` needs room for one byte more than
  /// `typed`.
  Result filter(std::span<const std::uint8_t> typed, std::span<std::uint8_t> to_guest) noexcept;

 private:
  bool prefixed_ = false;
};

}  // namespace kvmbench::hostio
