#include "experiments/measuring.hpp"

#include <algorithm>
#include <cmath>

namespace kvmbench::experiments {

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

report::Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {.median = median_of(values), .least = *least, .most = *most, .repetitions = values.size()};
}

std::uint64_t rounds_within(double seconds, double seconds_a_round, std::uint64_t least, std::uint64_t most) {
  if (!(seconds > 0)) return least;
  const double rounds = seconds_a_round > 0 ? seconds / seconds_a_round : static_cast<double>(most);
  if (rounds >= static_cast<double>(most)) return most;
  return std::max(least, static_cast<std::uint64_t>(rounds));
}

double residual(double measured, double model) noexcept {
  constexpr double rounding = 1e-12;
  const double difference = measured - model;
  return std::abs(difference) <= rounding * std::max(std::abs(measured), std::abs(model)) ? 0 : difference;
}

std::optional<LinearFit> fit_line(const std::vector<std::pair<double, double>>& points) {
  const auto count = static_cast<double>(points.size());
  double mean_x = 0, mean_y = 0;
  for (const auto& [x, y] : points) mean_x += x / count, mean_y += y / count;
  double xx = 0, xy = 0, yy = 0;
  for (const auto& [x, y] : points) {
    xx += (x - mean_x) * (x - mean_x);
    xy += (x - mean_x) * (y - mean_y);
    yy += (y - mean_y) * (y - mean_y);
  }
  if (points.size() < 2 || xx == 0) return std::nullopt;
  LinearFit fit;
  fit.slope = xy / xx;
  fit.intercept = mean_y - fit.slope * mean_x;
  double unexplained = 0;
  for (const auto& [x, y] : points) {
    const double off = residual(y, fit.at(x));
    unexplained += off * off;
    fit.greatest_residual = std::max(fit.greatest_residual, std::abs(off));
  }
  fit.r_squared = yy == 0 ? 1 : 1 - unexplained / yy;
  return fit;
}

double relative_spread(const report::Spread& spread) {
  if (spread.median == 0) return 0;
  return std::max(spread.most - spread.median, spread.median - spread.least) / std::abs(spread.median);
}

bool clearly_less(const report::Spread& one, const report::Spread& other) noexcept {
  return one.most < other.least;
}

}  // namespace kvmbench::experiments
