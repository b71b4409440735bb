#include "report/report.hpp"

#include <linux/kvm.h>

#include <tuple>

namespace kvmbench::report {

bool KeyOrder::operator()(const stats::ExitKey& left, const stats::ExitKey& right) const noexcept {
  const auto order = [](const stats::ExitKey& key) {
    return std::tuple(key.reason, key.address, key.direction, key.width, key.phase);
  };
  return order(left) < order(right);
}

std::optional<stats::ExitKey> key_of(const stats::HardwareDetail& detail) noexcept {
  using Kind = stats::HardwareDetail::Kind;
  if (detail.kind != Kind::port && detail.kind != Kind::mmio) return std::nullopt;
  const std::uint32_t reason = detail.kind == Kind::port ? KVM_EXIT_IO : KVM_EXIT_MMIO;
  return stats::ExitKey{
      .address = detail.value, .reason = reason, .width = detail.width, .direction = detail.direction};
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

KeyName Report::name_of(const stats::HardwareDetail& detail) const {
  const std::optional<stats::ExitKey> key = key_of(detail);
  return key ? name_of(*key) : KeyName{};
}

}  // namespace kvmbench::report
