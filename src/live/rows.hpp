/// What a live view shows: rows with totals and with what has come since the last look.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "report/report.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::live {

enum class Grouping { reason, key, vcpu };

struct Row {
  std::string name;
  std::uint64_t id = 0;     ///< of a reason: its number
  std::uint64_t total = 0;  ///< exits since the run began
  double rate = 0;          ///< exits a second, of late
  double time_share = 0;    ///< of the vCPUs' service time of late, 0 to 1
  double p99_seconds = 0;   ///< service time of late; 0 where nothing came or the clock's rate is not known
};

/// A moment of a run, and how it differs from the one before.
struct Sample {
  stats::Snapshot total;
  stats::Snapshot recent;     ///< total minus what it was
  double recent_seconds = 0;  ///< how long that took
  double run_seconds = 0;     ///< since the run began
  std::string title;          ///< what runs: "@mix"
};

/// Who answers behind a key.
using NameOf = std::function<report::KeyName(const stats::ExitKey&)>;

/// One row a reason, key or vCPU that has had exits, in no order; with `only_reason`, of this reason alone.
[[nodiscard]] std::vector<Row> rows_of(const Sample& sample, Grouping grouping,
                                       std::optional<std::uint32_t> only_reason, const NameOf& name_of);

}  // namespace kvmbench::live
