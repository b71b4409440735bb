/// Several runs' reports as one: what a fleet of machines, or a hundred runs of one, has cost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "report/merge_counters.hpp"
#include "report/merge_hardware.hpp"
#include "report/report.hpp"

namespace kvmbench::report {

/// Adds reports up. Counts, sums and histograms are exact, least and greatest values too, so that the order
/// and the grouping do not matter: the same reports give the same result, byte for byte.
///
/// The kernel's counters are added by name, peaks kept; the hardware's exits by reason, where they mean the
/// same. vCPUs are added by their number, phases by what began
/// them, devices by their names. `began` becomes 0 and `taken` the sum of the runs' lengths; a phase began as
/// early as it did in any of them. Facts, the ending and keys' names that are not the same in all become
/// "(various)"; the exit status is the greatest.
class Merger final {
 public:
  /// `name` is the report's, for messages. Throws UsageError where a sum would pass 2^64, where there would
  /// be more keys, phases or vCPUs than a report may have, and where cycles are of another length: the TSC's
  /// frequency differs by more than a thousandth; and what HardwareMerger::add() refuses.
  void add(const Report& report, const std::string& name);

  /// Once, after at least one report.
  [[nodiscard]] Report take();

 private:
  using Keys = std::map<stats::ExitKey, stats::KeyStats, KeyOrder>;
  struct Vcpu {
    std::uint64_t exits = 0;
    std::optional<std::uint64_t> kernel_exits = 0;  ///< nothing once one report has none
    CounterSums counters;
    Keys keys;                            ///< with phases as in phases_
    std::vector<stats::SiteStats> sites;  ///< one of each
  };
  struct LabelOrder {
    bool operator()(const stats::PhaseLabel& left, const stats::PhaseLabel& right) const noexcept;
  };
  struct Phase {
    std::uint16_t index;  ///< in the order in which they came; `take` puts them in that of their labels
    stats::Cycles first_began;
  };

  void add_facts(const Report& report);
  void add_counters(const Report& report, const std::string& name);
  void add_totals(const Report& report, const std::string& name);
  /// The index that each of the report's phases has here.
  [[nodiscard]] std::vector<std::uint16_t> add_phases(const Report& report, const std::string& name);
  void add_vcpu(const stats::VcpuSnapshot& vcpu, const std::vector<std::uint16_t>& phases, Vcpu& sum);
  void add_names(const Report& report);
  void add_symbols(const Report& report);
  void add_operations(const Report& report);
  /// Sums of the ranges that have the same rule; single accesses are not kept.
  void add_guarded_memory(const Report& report);
  void take_phases_and_vcpus();

  Report sum_;
  bool empty_ = true;
  std::uint64_t khz_least_ = 0;
  std::map<std::uint32_t, Vcpu> vcpus_;
  CounterSums counters_;  ///< of the VM as a whole
  HardwareMerger hardware_;
  std::map<stats::PhaseLabel, Phase, LabelOrder> phases_;
  std::map<stats::ExitKey, KeyName, KeyOrder> names_;
  std::map<std::string, std::map<std::string, std::uint64_t>> operations_;
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::string>, stats::GuardedMemory> guarded_;
  /// Of the whole: where these stay below 2^64, so do all that they are sums of.
  struct Totals {
    std::uint64_t runs = 0, cycles = 0, exits = 0, kernel_exits = 0, counts = 0, transfers = 0, services = 0,
                  run_times = 0, key_cycles = 0, operations = 0, sites = 0, site_cycles = 0, guarded = 0,
                  unlisted = 0;
  } totals_;
};

}  // namespace kvmbench::report
