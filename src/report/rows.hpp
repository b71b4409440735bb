/// The rows that the text and Markdown reports share: what is shown of a snapshot, in which order and in
/// which words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/report.hpp"

namespace kvmbench::report {

/// Sums over a set of exits, and the rows they are sums of, most service time first.
struct Account {
  std::vector<stats::KeyStats> keys;
  std::vector<stats::ReasonStats> reasons;
  stats::ReasonStats total;  ///< its reason means nothing
};
/// Of the whole run, phases merged.
[[nodiscard]] Account account_of(const stats::Snapshot& snapshot);
/// Of one phase.
[[nodiscard]] Account account_of(const stats::Snapshot& snapshot, std::size_t phase);

/// Counts and times without their distribution.
struct Sums {
  std::uint64_t count = 0;
  stats::Cycles service = 0;
  stats::Cycles run = 0;

  void add(const stats::KeyStats& key) noexcept;
  Sums& operator+=(const Sums& other) noexcept;
  friend bool operator==(const Sums&, const Sums&) = default;
};
[[nodiscard]] Sums sums_of(const stats::VcpuSnapshot& vcpu);
/// By phase index.
[[nodiscard]] std::vector<Sums> sums_by_phase(const stats::Snapshot& snapshot);

/// "port 0x3f8", "gpa 0xfee00000", "rdmsr 0x10", "hlt", "system_event 0x1", "io, further keys".
[[nodiscard]] std::string place_of(const stats::ExitKey& key);
/// The device, "unclaimed" where an access met none, "" where the reason is no access.
[[nodiscard]] std::string device_of(const Report& report, const stats::ExitKey& key);
/// "in" and "out" of a port, "read" and "write" elsewhere.
[[nodiscard]] std::string direction_of(const stats::ExitKey& key);
/// Bytes an access moves, "" where the reason has none.
[[nodiscard]] std::string width_of(const stats::ExitKey& key);

/// One sentence about a reason, known to this program or not.
[[nodiscard]] std::string description_of(std::uint32_t reason);

/// "1 exit", "2,000 exits".
[[nodiscard]] std::string exits_in_words(std::uint64_t number);

/// Whether the keys hold as many exits as KVM_RUN returned, in words.
[[nodiscard]] std::string agreement(const stats::Snapshot& snapshot, std::uint64_t keys_total);
/// The kernel's own count of exits beside the returns of KVM_RUN, and what follows from the two, in words.
[[nodiscard]] std::string kernel_exits_in_words(const stats::Snapshot& snapshot);
/// "guest powered off after 2.35 s, exit status 0".
[[nodiscard]] std::string ending_of(const Report& report);
/// report.host and what the snapshot itself says of the host.
[[nodiscard]] Facts host_of(const Report& report);
/// What took most service time, why, and what lessens it. Empty if there were no exits.
[[nodiscard]] std::vector<std::string> advice(const Report& report, const Account& account);

}  // namespace kvmbench::report
