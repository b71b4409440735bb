/// VMs that a tracer watches: their hardware exits by reason, by what they were for, and by vCPU, and the
/// time out of the guest. Where a KVM announces none, the returns of KVM_RUN, and what the other events tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "live/moment.hpp"
#include "stats/snapshot.hpp"

namespace kvmbench::live {

/// One process's VM, and how it differs from the moment before.
struct TracedSample {
  std::string process;  ///< "4711"
  std::string title;    ///< "4711 debian"
  stats::Snapshot total;
  stats::Snapshot recent;
};

class TracedMoment final : public Moment {
 public:
  struct Times {
    double recent_seconds = 0;
    double run_seconds = 0;  ///< since it is traced
  };
  /// `remark` is shown where the counts themselves need none.
  TracedMoment(std::vector<TracedSample> vms, Times times, std::string remark);

  [[nodiscard]] std::vector<Row> rows(Grouping grouping,
                                      std::optional<std::uint64_t> only_reason) const override;
  [[nodiscard]] std::string title(Grouping grouping, std::optional<std::uint64_t> only_reason) const override;
  [[nodiscard]] std::string headline() const override;
  [[nodiscard]] std::string remark() const override;

 private:
  /// A reason's rows: by what its exits were for, where events tell that, else by vCPU.
  [[nodiscard]] Grouping grouping_of(Grouping grouping, std::optional<std::uint64_t> only_reason) const;

  std::vector<TracedSample> vms_;
  Times times_;
  std::string remark_;
  stats::Vendor vendor_ = stats::Vendor::unknown;
  bool hardware_ = false;           ///< exits of the hardware have been seen
  std::uint64_t recent_time_ = 0;   ///< out of the guest, of all exits, in nanoseconds
  std::uint64_t total_exits_ = 0;   ///< traced, or else by KVM's count, or else returns of KVM_RUN
  std::uint64_t recent_exits_ = 0;  ///< likewise
  bool counted_ = false;            ///< by KVM
};

}  // namespace kvmbench::live
