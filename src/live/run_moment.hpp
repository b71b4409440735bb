/// A run of kvmbench's own: its returns of KVM_RUN by reason, key and vCPU, and their service time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "live/moment.hpp"
#include "report/report.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::live {

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

class RunMoment final : public Moment {
 public:
  RunMoment(Sample sample, NameOf name_of) : sample_(std::move(sample)), name_of_(std::move(name_of)) {}

  [[nodiscard]] std::vector<Row> rows(Grouping grouping,
                                      std::optional<std::uint64_t> only_reason) const override;
  [[nodiscard]] std::string title(Grouping grouping, std::optional<std::uint64_t> only_reason) const override;
  [[nodiscard]] std::string headline() const override;

 private:
  Sample sample_;
  NameOf name_of_;
};

}  // namespace kvmbench::live
