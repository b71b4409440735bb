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
  std::optional<std::uint64_t> out_of_guest;  ///< nanoseconds of the exits there, KVM's own too, where traced

  /// Nothing where the device did none.
  [[nodiscard]] std::optional<double> exits_each() const;
  [[nodiscard]] std::optional<double> service_each() const;  ///< cycles
};
/// In the order of the report.
[[nodiscard]] std::vector<OperationRow> operation_rows(const Report& report);

/// Of the hardware's exits at the registers of the device of that name, whoever served them: nanoseconds from
/// the exit to the next entry; nothing where none was traced.
[[nodiscard]] std::optional<std::uint64_t> out_of_guest_of_device(const Report& report,
                                                                  std::string_view device);

/// Exits at the registers of the device of that name.
[[nodiscard]] Sums sums_of_device(const Report& report, std::string_view device);

}  // namespace kvmbench::report
