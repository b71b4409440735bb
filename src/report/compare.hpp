/// Reports of the same work side by side: reason by reason, key by key, and for each operation that devices
/// count.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/formats.hpp"
#include "report/report.hpp"
#include "report/rows.hpp"

namespace kvmbench::report {

/// One of the reports, which outlives the comparison.
struct Side {
  std::string label;  ///< "emulated", or the file's name
  const Report* report;
};

/// What figures are divided by: "requests=10000", or what the devices themselves have counted: "requests",
/// "disk requests", "virtio-blk0 requests".
struct Per {
  std::string operation;
  std::optional<std::uint64_t> count;

  /// Throws UsageError.
  [[nodiscard]] static Per parse(std::string_view text);
};

/// A fact that not all sides have in common; "" where a side lacks it.
struct FactDifference {
  std::string name;
  std::vector<std::string> values;
};

/// Exits under one name; nothing where a side has none.
struct ComparedRow {
  std::string name;
  std::vector<std::optional<Sums>> sides;
};

/// Hardware exits under one reason, as a tracer saw them: other exits than the ones above.
struct HardwareSums {
  std::uint64_t count = 0;
  std::uint64_t nanoseconds = 0;  ///< from the exit to the next entry

  void add(const stats::HardwareReasonStats& stats);
};

/// Nothing of a side that was not traced.
struct ComparedHardwareRow {
  std::string name;
  std::vector<std::optional<HardwareSums>> sides;
};

/// What the devices of one service have done on one side, and the exits at their registers.
struct ServiceSide {
  std::vector<std::string> devices;
  std::uint64_t count = 0;
  Sums exits;
  std::optional<std::uint64_t> out_of_guest;  ///< nanoseconds of the hardware's exits there; where traced
};
struct ComparedOperation {
  std::string service;    ///< "disk"; a device's own name where it gives none of the services
  std::string operation;  ///< "requests"
  std::vector<std::optional<ServiceSide>> sides;
};

struct Comparison {
  std::vector<Side> sides;
  std::vector<FactDifference> host;
  std::vector<FactDifference> machine;

  ComparedRow total;
  std::vector<std::optional<std::uint64_t>> hardware_exits;
  std::vector<ComparedRow> reasons;  ///< most service time on any side first
  /// A device's register is one row on all sides, wherever it is; what has no name is known by its address.
  std::vector<ComparedRow> keys;
  std::vector<ComparedHardwareRow>
      hardware_reasons;  ///< most exits on any side first; none where none was traced
  ComparedHardwareRow hardware_total;
  std::vector<ComparedOperation> operations;

  std::string per;                    ///< "requests"; "" where nothing is divided
  std::vector<std::uint64_t> counts;  ///< of it, by side; none is 0
};

/// Of two sides or more. Throws UsageError where `per` names what a side has not counted.
[[nodiscard]] Comparison compare(std::vector<Side> sides, const std::optional<Per>& per = {});

[[nodiscard]] std::vector<FactDifference> host_differences(const std::vector<Side>& sides);
/// Throws UsageError naming the facts in which the hosts differ: their times, and with other paging their
/// counts, are no measure of the machines.
void require_same_host(const std::vector<FactDifference>& host);

/// `to` divided by `from`; nothing where that cannot be told.
[[nodiscard]] std::optional<double> count_ratio(const std::optional<Sums>& from,
                                                const std::optional<Sums>& to);
/// Of times, by the sides' own clocks.
[[nodiscard]] std::optional<double> time_ratio(const Comparison& comparison, stats::Cycles from,
                                               stats::Cycles to);
/// How a report's host pages guest memory, as far as it is known.
[[nodiscard]] std::string paging_of(const Report& report);

[[nodiscard]] std::string to_text(const Comparison& comparison, const RenderOptions& options);
[[nodiscard]] std::string to_markdown(const Comparison& comparison);
[[nodiscard]] std::string to_json(const Comparison& comparison);  ///< docs/comparison.schema.json
/// One row per side and reason, key or operation.
[[nodiscard]] std::string to_csv(const Comparison& comparison);
/// A gauge's sample per side and reason, key or operation.
[[nodiscard]] std::string to_openmetrics(const Comparison& comparison);

}  // namespace kvmbench::report
