#include "report/experiment.hpp"

#include <algorithm>
#include <map>

namespace kvmbench::report {

std::optional<std::uint64_t> GuestFigures::number(std::string_view name) const noexcept {
  for (const auto& [known, value] : numbers) {
    if (known == name) return value;
  }
  return std::nullopt;
}

bool ExperimentResult::sound() const noexcept {
  return failures.empty() &&
         std::all_of(exact.begin(), exact.end(), [](const ExactCount& count) { return count.holds(); });
}

std::pair<std::uint64_t, std::uint64_t> ExperimentResult::repetitions() const {
  std::map<std::string, std::uint64_t> by_arm;
  for (const ExperimentSample& sample : samples) ++by_arm[sample.arm];
  if (by_arm.empty()) return {0, 0};
  const auto [least, most] =
      std::minmax_element(by_arm.begin(), by_arm.end(),
                          [](const auto& left, const auto& right) { return left.second < right.second; });
  return {least->second, most->second};
}

}  // namespace kvmbench::report
