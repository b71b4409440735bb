#include "report/chart/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kvmbench::report {

std::vector<double> linear_ticks(double maximum, unsigned wanted) {
  if (!(maximum > 0)) return {0, 1};
  const double raw_step = maximum / std::max(wanted, 1u);
  const double power = std::pow(10, std::floor(std::log10(raw_step)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw_step * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const auto count = static_cast<unsigned>(std::ceil(maximum / step - 1e-9));
  for (unsigned i = 0; i <= count; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string tick_figure(double figure) {
  if (figure >= 1e9) return fmt::format("{:g}G", figure / 1e9);
  if (figure >= 1e6) return fmt::format("{:g}M", figure / 1e6);
  if (figure >= 1e3) return fmt::format("{:g}k", figure / 1e3);
  return fmt::format("{:g}", figure);
}

LogAxis::LogAxis(double least, double most, double from_x, double to_x)
    : least_(least), most_(std::max(most, 2 * least)), from_x_(from_x), to_x_(to_x) {}

double LogAxis::place(double figure) const {
  const double inside = std::clamp(figure, least_, most_);
  return from_x_ + (to_x_ - from_x_) * std::log(inside / least_) / std::log(most_ / least_);
}

std::vector<double> LogAxis::ticks() const {
  const auto collect = [this](std::initializer_list<double> factors) {
    std::vector<double> found;
    const double first = std::floor(std::log10(least_)), last = std::ceil(std::log10(most_));
    for (double exponent = first; exponent <= last; ++exponent) {
      for (const double factor : factors) {
        const double figure = factor * std::pow(10, exponent);
        if (figure >= least_ && figure <= most_) found.push_back(figure);
      }
    }
    return found;
  };
  std::vector<double> powers = collect({1});
  return powers.size() >= 3 ? powers : collect({1, 2, 5});
}

}  // namespace kvmbench::report
