/// From figures to places on an axis, and the figures worth writing beside it.
#pragma once

#include <string>
#include <vector>

namespace kvmbench::report {

/// Round figures (1, 2 or 5 times a power of ten) from 0 to at least `maximum`, about `wanted` of them. Just
/// 0 and 1 where `maximum` is not above 0.
[[nodiscard]] std::vector<double> linear_ticks(double maximum, unsigned wanted);

/// "0", "250", "12k", "1.5M": a tick's figure in little room.
[[nodiscard]] std::string tick_figure(double figure);

/// A logarithmic axis from `least` to `most`, both above 0.
class LogAxis final {
 public:
  /// `most` is raised to twice `least` where it is less.
  LogAxis(double least, double most, double from_x, double to_x);

  /// The place of a figure, never outside the axis.
  [[nodiscard]] double place(double figure) const;
  /// Powers of ten on the axis; times 2 and 5 as well where it has fewer than three of them.
  [[nodiscard]] std::vector<double> ticks() const;

 private:
  double least_;
  double most_;
  double from_x_;
  double to_x_;
};

}  // namespace kvmbench::report
