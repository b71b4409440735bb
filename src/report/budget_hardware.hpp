/// What a report says of the hardware's exits that an expectation means.
#pragma once

#include <stdexcept>
#include <string>

#include "report/budget.hpp"

namespace kvmbench::report {

/// What the report cannot tell, and why.
class Untold final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Measured {
  long double value = 0;  ///< times in nanoseconds, shares in per cent
  std::string remark;     ///< "" or why that is so
};

/// Whether a vendor's manual has an exit reason of this short name.
[[nodiscard]] bool is_hardware_reason(std::string_view name);

/// A trace of another program's VM, whose exits of KVM_RUN this program has no account of.
[[nodiscard]] bool of_another_program(const Report& report);

/// The vCPU, if one is selected, is one of the report's. Throws Untold.
[[nodiscard]] Measured measure(const HardwareQuantity& quantity, const Report& report);

/// In the unit that the times are in.
[[nodiscard]] long double statistic_of(const stats::TimeStats& times, Statistic statistic, double quantile);

/// By the reasons that the tracer saw: their short names, and how many exits of each, in ascending order of
/// their numbers. Without those of which no name is known, and those that the host's own interrupts cause.
[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> hardware_counts(const Report& report);

}  // namespace kvmbench::report
