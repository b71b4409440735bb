#include "vmm/phase_marker.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/tsc.hpp"

namespace kvmbench {
namespace {

using Kind = stats::PhaseLabel::Kind;

std::optional<std::regex> compile(const std::optional<std::string>& expression) {
  if (!expression) return std::nullopt;
  try {
    return std::regex(*expression, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw UsageError(
        fmt::format("--mark-on-serial '{}' is not a regular expression: {}", *expression, error.what()));
  }
}

}  // namespace

PhaseMarker::PhaseMarker(stats::PhaseTable& phases, std::optional<std::string> expression)
    : phases_(phases), expression_(expression.value_or("")), regex_(compile(expression)) {}

void PhaseMarker::post_code(std::uint8_t code) noexcept {
  phases_.mark(Kind::post_code, code, read_tsc());
}

void PhaseMarker::power_off() noexcept {
  phases_.mark(Kind::power_off, 0, read_tsc());
}

void PhaseMarker::transmitted(std::uint8_t byte, bool interrupt_driven) noexcept {
  if (interrupt_driven && !userspace_seen_.load(std::memory_order_relaxed) &&
      !userspace_seen_.exchange(true) && !phases_.is_guests_own()) {
    phases_.mark(Kind::userspace_output, 0, read_tsc());
  }
  if (regex_) match(byte);
}

void PhaseMarker::match(std::uint8_t byte) noexcept {
  const std::lock_guard lock(mutex_);
  if (byte != '\n') {
    if (length_ < line_.size()) line_[length_++] = static_cast<char>(byte);
    return;
  }
  while (length_ > 0 && line_[length_ - 1] == '\r') --length_;  // so that $ is the end of what is seen
  try {
    if (std::regex_search(line_.data(), line_.data() + length_, *regex_)) {
      phases_.mark(Kind::serial_match, expression_, read_tsc());
    }
  } catch (const std::regex_error&) {
    // Too complex for this line (std::regex gives up rather than run on): it does not match.
  }
  length_ = 0;
}

}  // namespace kvmbench
