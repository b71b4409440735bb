/// What devices have done, set against the exits it took: which formats show alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/report.hpp"
#include "report/rows.hpp"

namespace kvmbench::report {

/// An operation of a device, and the exits at that device's registers in the same time. A device that is
/// notified without an exit of its own (an ioeventfd) has few or none.
struct OperationRow {
  std::string device;
  std::string operation;  ///< plural: "requests"
  std::uint64_t count = 0;
  Sums exits;

  /// Nothing where the device did none.
  [[nodiscard]] std::optional<double> exits_each() const;
  [[nodiscard]] std::optional<double> service_each() const;  ///< cycles
};
/// In the order of the report.
[[nodiscard]] std::vector<OperationRow> operation_rows(const Report& report);

/// Exits at the registers of the device of that name.
[[nodiscard]] Sums sums_of_device(const Report& report, std::string_view device);

}  // namespace kvmbench::report
