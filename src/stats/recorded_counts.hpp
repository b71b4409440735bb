/// The counts that this program itself keeps, by userspace reason alone: what a query or a refreshed page
/// needs at once, where the recorder's sums would have to be gathered from hundreds of keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "stats/exit_counts.hpp"
#include "stats/recorder.hpp"

namespace kvmbench::stats {

/// Base of what the machine gives its guest: the machine adds the kernel's counter and the hardware's
/// reasons.
class RecordedCounts : public ExitCounts {
 public:
  /// `recorder` is the same vCPU's, told of the same exits.
  explicit RecordedCounts(const Recorder& recorder) noexcept : recorder_(recorder) {}

  /// Beside each Recorder::record, by the vCPU's own thread.
  void add(std::uint32_t reason, Cycles service) noexcept {
    Tally& tally = by_reason_[reason < further ? reason : further];
    ++tally.count;
    tally.cycles += service;
    service_ += service;
  }

  /// All userspace exits and their service time.
  [[nodiscard]] Tally all() const noexcept override { return {recorder_.exits(), service_}; }
  [[nodiscard]] Tally userspace(std::uint32_t n) const noexcept override;
  [[nodiscard]] Spread userspace_spread(std::uint32_t n) const noexcept override;

  /// Nothing counts hardware exits here.
  [[nodiscard]] Tally hardware(std::uint32_t) const noexcept override { return {}; }
  [[nodiscard]] Spread hardware_spread(std::uint32_t) const noexcept override { return {}; }
  [[nodiscard]] std::size_t list(std::span<ReasonTally> to) const noexcept override;

 private:
  static constexpr std::size_t further = 64;  // KVMBENCH_USERSPACE_REASONS

  /// What has been gathered from the recorder's keys, when it had so many exits. A request block may ask for
  /// the same a thousand times, of one instant.
  struct Gathered {
    std::uint64_t exits = 0;
    Spread spread;
  };

  const Recorder& recorder_;
  Cycles service_ = 0;
  std::array<Tally, further + 1> by_reason_{};  ///< the last one: every reason from `further` on
  mutable std::array<Gathered, further + 1> gathered_{};
};

}  // namespace kvmbench::stats
