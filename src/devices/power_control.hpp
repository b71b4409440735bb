/// How a device ends the machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace kvmbench {

/// Each call asks the machine to stop and returns at once; the first one counts. Thread-safe.
class PowerControl {
 public:
  virtual ~PowerControl() = default;
  virtual void power_off() noexcept = 0;
  /// `by` names the register that did it ("i8042 pulse reset"): a string literal.
  virtual void reset(std::string_view by) noexcept = 0;
  /// isa-debug-exit: the value the guest wrote.
  virtual void debug_exit(std::uint32_t value) noexcept = 0;
};

}  // namespace kvmbench
