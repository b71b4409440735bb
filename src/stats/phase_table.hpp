/// The phases of a run. Every exit is counted in the phase that is current when it is served.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "stats/snapshot.hpp"

namespace kvmbench::stats {

/// A mark begins a phase, or resumes it where the same mark came before: A B A B counts into two phases. At
/// most max_phases are told apart, further ones are counted together under PhaseLabel::Kind::further.
/// Thread-safe.
class PhaseTable final {
 public:
  static constexpr std::size_t max_phases = 256;  ///< with Kind::start and Kind::further
  static constexpr std::size_t max_text = 256;    ///< bytes of a label's text; what is longer is cut

  /// The run begins in phase 0, Kind::start.
  explicit PhaseTable(Cycles began);

  /// Index of the current phase: one relaxed load, for the exit path.
  [[nodiscard]] std::uint16_t current() const noexcept { return current_.load(std::memory_order_relaxed); }

  /// `now` is a TSC reading. Of a post code the low 8 bits count; kinds other than post_code and mark have no
  /// value. Allocates nothing, and for a known post code takes no lock.
  void mark(PhaseLabel::Kind kind, std::uint32_t value, Cycles now);
  /// For named and serial_match. Allocates nothing if the label is known.
  void mark(PhaseLabel::Kind kind, std::string_view text, Cycles now);

  /// Whether the guest has deliberately begun the current phase, by a name or a mark of the exit-count
  /// interface.
  [[nodiscard]] bool is_guests_own() const;

  /// A snapshot's keys have phases of this list if it is asked for after the recorders were.
  [[nodiscard]] std::vector<Phase> phases() const;

 private:
  std::uint16_t enter(PhaseLabel::Kind kind, std::uint32_t value, std::string_view text, Cycles now);

  std::atomic<std::uint16_t> current_{0};
  /// The phase of each post code, the one mark that a guest may make thousands of times; 0 where it has none.
  std::array<std::atomic<std::uint16_t>, 256> post_code_phases_{};
  mutable std::mutex mutex_;
  std::vector<Phase> phases_;
};

}  // namespace kvmbench::stats
