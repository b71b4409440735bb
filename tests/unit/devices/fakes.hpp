/// What the devices are connected to in these tests: everything is written down, nothing else happens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "devices/character_sink.hpp"
#include "devices/clock.hpp"
#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"
#include "devices/power_control.hpp"

namespace kvmbench::test {

class RecordingLine final : public InterruptLine {
 public:
  void set(bool asserted) noexcept override {
    if (asserted && !level) ++rises;
    level = asserted;
  }

  bool level = false;
  unsigned rises = 0;
};

class RecordingSink final : public CharacterSink {
 public:
  void put(std::uint8_t byte) noexcept override { text.push_back(static_cast<char>(byte)); }

  std::string text;
};

class RecordingPower final : public PowerControl {
 public:
  void power_off() noexcept override { ++power_offs; }
  void reset(std::string_view by) noexcept override { resets.push_back(by); }
  void debug_exit(std::uint32_t value) noexcept override { debug_exits.push_back(value); }

  unsigned power_offs = 0;
  std::vector<std::string_view> resets;
  std::vector<std::uint32_t> debug_exits;
};

class ManualMonotonicClock final : public MonotonicClock {
 public:
  [[nodiscard]] std::uint64_t nanoseconds() const noexcept override { return now; }

  std::uint64_t now = 0;
};

class ManualWallClock final : public WallClock {
 public:
  explicit ManualWallClock(TimePoint start = {}) : time(start) {}

  [[nodiscard]] TimePoint now() const noexcept override { return time; }

  TimePoint time;
};

/// Whether, for every width from 1 to 8, a read that starts at or past `size` gives all ones, and a read that
/// runs past `size` gives ones in the bytes past it.
inline bool reads_ones_past(Device& device, std::uint64_t size) {
  for (unsigned width = 1; width <= 8; ++width) {
    for (const std::uint64_t offset : {size, size + 1, size + 7, std::uint64_t{0xffff}, ~std::uint64_t{0}}) {
      if (device.read(offset, width) != all_ones(width)) return false;
    }
    for (std::uint64_t offset = size < 8 ? 0 : size - 8; offset < size; ++offset) {
      const auto inside = static_cast<unsigned>(size - offset);
      if (inside < width && device.read(offset, width) >> (8 * inside) != all_ones(width - inside))
        return false;
    }
  }
  return true;
}

/// Writes `value` with every width at offsets at and past `size`.
inline void write_past(Device& device, std::uint64_t size, std::uint64_t value) {
  for (unsigned width = 1; width <= 8; ++width) {
    for (const std::uint64_t offset : {size, size + 1, size + 7, std::uint64_t{0xffff}, ~std::uint64_t{0}}) {
      device.write(offset, width, value);
    }
  }
}

}  // namespace kvmbench::test
