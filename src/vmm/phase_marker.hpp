/// What begins a phase of the run: POST codes, the first userspace output, a line of serial output,
/// power-off.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <regex>
#include <string>

#include "devices/post_port.hpp"
#include "devices/uart16550.hpp"
#include "stats/phase_table.hpp"

namespace kvmbench {

/// Listens to the POST port, the first serial port and virtio-console.
class PhaseMarker final : public PhaseMarks, public TransmitObserver {
 public:
  /// Throws UsageError where `expression` is not a regular expression (ECMAScript).
  PhaseMarker(stats::PhaseTable& phases, std::optional<std::string> expression);

  void post_code(std::uint8_t code) noexcept override;
  /// The first output of userspace begins no phase where the guest has begun one of its own, which it would
  /// cut in two. Calls for one UART come from whichever vCPU writes to it; a guest that lets two do so at
  /// once, or writes to virtio-console as well, has its lines mixed here as it has on the wire.
  void transmitted(std::uint8_t byte, bool interrupt_driven) noexcept override;
  void power_off() noexcept;

 private:
  void match(std::uint8_t byte) noexcept;

  static constexpr std::size_t longest_line = 1024;  // what follows is not looked at

  stats::PhaseTable& phases_;
  const std::string expression_;
  const std::optional<std::regex> regex_;
  std::atomic<bool> userspace_seen_{false};

  std::mutex mutex_;  // of the line
  std::array<char, longest_line> line_{};
  std::size_t length_ = 0;
};

}  // namespace kvmbench
