/// Where a device's characters go on the host.
#pragma once

#include <cstdint>

namespace kvmbench {

class CharacterSink {
 public:
  virtual ~CharacterSink() = default;
  /// Takes one byte. Where the host is slower than the guest it waits, rather than lose output. Thread-safe.
  virtual void put(std::uint8_t byte) noexcept = 0;
};

/// Takes everything, keeps nothing.
class NullSink final : public CharacterSink {
 public:
  void put(std::uint8_t) noexcept override {}
};

}  // namespace kvmbench
