/// Arithmetic of experiments.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "report/experiment.hpp"

namespace kvmbench::experiments {

/// The middle one, or the mean of the two in the middle; 0 of none.
[[nodiscard]] double median_of(std::vector<double> values);
[[nodiscard]] report::Spread spread_of(std::vector<double> values);

/// How many rounds `seconds` have room for, where one was seen to take `seconds_a_round`; within the bounds.
[[nodiscard]] std::uint64_t rounds_within(double seconds, double seconds_a_round, std::uint64_t least,
                                          std::uint64_t most);

/// measured - model; 0 where they differ by no more than the rounding of doubles.
[[nodiscard]] double residual(double measured, double model) noexcept;

/// y = intercept + slope * x by least squares.
struct LinearFit {
  double intercept = 0;
  double slope = 0;
  double r_squared = 0;          ///< share of y's variance that the line explains; 1 where y does not vary
  double greatest_residual = 0;  ///< |y - line|

  [[nodiscard]] double at(double x) const noexcept { return intercept + slope * x; }
};
/// Nothing of fewer than two different x.
[[nodiscard]] std::optional<LinearFit> fit_line(const std::vector<std::pair<double, double>>& points);

/// The share (0 to 1) that all repetitions lie within of the median, on either side.
[[nodiscard]] double relative_spread(const report::Spread& spread);
/// Whether the repetitions of one all lie below those of the other.
[[nodiscard]] bool clearly_less(const report::Spread& one, const report::Spread& other) noexcept;

}  // namespace kvmbench::experiments
