#include "report/report.hpp"

#include <tuple>

namespace kvmbench::report {

bool KeyOrder::operator()(const stats::ExitKey& left, const stats::ExitKey& right) const noexcept {
  const auto order = [](const stats::ExitKey& key) {
    return std::tuple(key.reason, key.address, key.direction, key.width, key.phase);
  };
  return order(left) < order(right);
}

void Report::set_name(stats::ExitKey key, KeyName name) {
  key.phase = 0;
  if (name == KeyName{}) {
    names_.erase(key);
  } else {
    names_.insert_or_assign(key, std::move(name));
  }
}

KeyName Report::name_of(stats::ExitKey key) const {
  key.phase = 0;
  const auto found = names_.find(key);
  return found == names_.end() ? KeyName{} : found->second;
}

}  // namespace kvmbench::report
