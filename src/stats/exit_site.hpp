/// Where in the guest exits come from: counts by exit key and instruction pointer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "stats/exit_key.hpp"

namespace kvmbench::stats {

struct ExitSite {
  ExitKey key;  ///< its phase is 0: a place is the same in all phases
  std::uint64_t rip =
      0;  ///< guest-linear address; of most exits that of the instruction, of some the next one

  friend bool operator==(const ExitSite&, const ExitSite&) = default;
};

struct SiteStats {
  ExitSite site;
  std::uint64_t count = 0;
  Cycles service = 0;

  friend bool operator==(const SiteStats&, const SiteStats&) = default;
};

/// The sites of one vCPU. As Recorder: one thread writes, any may take a snapshot meanwhile, and memory is
/// bounded. What comes from a site that finds no room is counted under `no_room`.
class SiteTable final {
 public:
  static constexpr std::size_t most_sites = 8192;
  static constexpr ExitSite no_room{overflow_key, 0};

  SiteTable();

  /// Counts one exit; the key's phase is ignored. Only ever one thread at a time; no allocation.
  void record(const ExitKey& key, std::uint64_t rip, Cycles service) noexcept;

  /// Any thread. Sites are in the order of their first appearance.
  [[nodiscard]] std::vector<SiteStats> snapshot() const;

 private:
  static constexpr unsigned slot_bits = 14;  // at most half of the slots are used

  struct Entry {
    ExitSite site;
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> service{0};
  };

  [[nodiscard]] std::size_t slot_of(const ExitSite& site) const noexcept;

  std::vector<Entry> entries_;        // the last is no_room's
  std::vector<std::uint16_t> slots_;  // 1 + index of an entry; 0 is free
  std::atomic<std::size_t> size_{0};  // entries below it are complete and may be read by any thread
  Entry* last_ = nullptr;
};

/// Sums of `sites` by site, in ascending order of reason, address, width, direction and rip.
[[nodiscard]] std::vector<SiteStats> by_site(const std::vector<SiteStats>& sites);
/// What has come since `earlier`, an earlier state of the same table. Sites that did not grow are left out.
[[nodiscard]] std::vector<SiteStats> grown_sites(const std::vector<SiteStats>& later,
                                                 const std::vector<SiteStats>& earlier);

}  // namespace kvmbench::stats
