#include "report/rows.hpp"

#include <fmt/format.h>
#include <linux/kvm.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>

#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

template <typename Row>
bool costs_more(const Row& left, const Row& right) {
  return std::tuple(left.service.sum, left.count) > std::tuple(right.service.sum, right.count);
}

/// `keys` in the order of a report. A KeyStats is some 10 KiB, so that each is moved but once.
std::vector<stats::KeyStats> sorted(std::vector<stats::KeyStats> keys) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    if (costs_more(keys[left], keys[right])) return true;
    return !costs_more(keys[right], keys[left]) && KeyOrder{}(keys[left].key, keys[right].key);
  });
  std::vector<stats::KeyStats> result;
  result.reserve(keys.size());
  for (const std::size_t index : order) result.push_back(std::move(keys[index]));
  return result;
}

Account account_of(std::vector<stats::KeyStats> keys) {
  Account account;
  account.reasons = stats::by_reason(keys);
  account.keys = sorted(std::move(keys));
  for (const stats::ReasonStats& reason : account.reasons) {
    account.total.count += reason.count;
    account.total.transfers += reason.transfers;
    account.total.service += reason.service;
    account.total.run += reason.run;
  }
  std::stable_sort(account.reasons.begin(), account.reasons.end(), costs_more<stats::ReasonStats>);
  return account;
}

bool is_access(std::uint32_t reason) {
  return reason == KVM_EXIT_IO || reason == KVM_EXIT_MMIO;
}

}  // namespace

void Sums::add(const stats::KeyStats& key) noexcept {
  *this += {key.count, key.service.sum, key.run.sum};
}

Sums& Sums::operator+=(const Sums& other) noexcept {
  count += other.count;
  service += other.service;
  run += other.run;
  return *this;
}

Account account_of(const stats::Snapshot& snapshot) {
  return account_of(stats::by_key(snapshot, stats::Phases::merged));
}

Account account_of(const stats::Snapshot& snapshot, std::size_t phase) {
  std::vector<stats::KeyStats> keys = stats::by_key(snapshot, stats::Phases::kept);
  std::erase_if(keys, [=](const stats::KeyStats& key) { return key.key.phase != phase; });
  return account_of(std::move(keys));
}

Sums sums_of(const stats::VcpuSnapshot& vcpu) {
  Sums sums;
  for (const stats::KeyStats& key : vcpu.keys) sums.add(key);
  return sums;
}

std::vector<Sums> sums_by_phase(const stats::Snapshot& snapshot) {
  std::vector<Sums> sums(snapshot.phases.size());
  for (const stats::VcpuSnapshot& vcpu : snapshot.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) {
      if (key.key.phase < sums.size()) sums[key.key.phase].add(key);
    }
  }
  return sums;
}

std::string place_of(const stats::ExitKey& key) {
  const std::string reason = stats::userspace_reason_name(key.reason);
  if (key.address == stats::overflow_address) return reason + ", further keys";
  if (key.reason == KVM_EXIT_IO) return fmt::format("port {:#x}", key.address);
  if (key.reason == KVM_EXIT_MMIO) return fmt::format("gpa {:#x}", key.address);
  const bool addressed =
      key.address != 0 || key.reason == KVM_EXIT_X86_RDMSR || key.reason == KVM_EXIT_X86_WRMSR;
  return addressed ? fmt::format("{} {:#x}", reason, key.address) : reason;
}

std::string device_of(const Report& report, const stats::ExitKey& key) {
  const std::string device = report.name_of(key).device;
  const bool met_none = device.empty() && is_access(key.reason) && key.address != stats::overflow_address;
  return met_none ? "unclaimed" : device;
}

std::string direction_of(const stats::ExitKey& key) {
  const bool port = key.reason == KVM_EXIT_IO;
  switch (key.direction) {
    case Direction::read:
      return port ? "in" : "read";
    case Direction::write:
      return port ? "out" : "write";
    case Direction::none:
      break;
  }
  return {};
}

std::string width_of(const stats::ExitKey& key) {
  return key.width == 0 ? "" : std::to_string(key.width);
}

std::string description_of(std::uint32_t reason) {
  if (const stats::ReasonText* text = stats::userspace_reason(reason)) return std::string(text->description);
  if ((reason & stats::error_reason) != 0) return "KVM_RUN failed with this error.";
  return "A reason that this version of kvmbench does not know: see linux/kvm.h of the host's kernel.";
}

std::string exits_in_words(std::uint64_t number) {
  return grouped(number) + (number == 1 ? " exit" : " exits");
}

std::string agreement(const stats::Snapshot& snapshot, std::uint64_t keys_total) {
  const std::uint64_t returns = snapshot.exits();
  if (keys_total == returns) {
    return fmt::format("{}, as many as KVM_RUN returned.", exits_in_words(returns));
  }
  const bool fewer = keys_total < returns;
  return fmt::format("The keys hold {}, {} {} than KVM_RUN returned: taken while a vCPU was recording.",
                     exits_in_words(keys_total), grouped(fewer ? returns - keys_total : keys_total - returns),
                     fewer ? "fewer" : "more");
}

std::string kernel_exits_in_words(const stats::Snapshot& snapshot) {
  const std::optional<std::uint64_t> kernel = snapshot.kernel_exits();
  if (!kernel) return "How many hardware exits there were is not known: this kernel keeps no such count.";
  // Of another program's VM, those that a tracer saw.
  const auto traced = snapshot.traced();
  const std::uint64_t returns = snapshot.exits() == 0 && traced ? traced->return_count() : snapshot.exits();
  const std::string both =
      fmt::format("KVM counted {} hardware exit{} and KVM_RUN returned {} time{}", grouped(*kernel),
                  *kernel == 1 ? "" : "s", grouped(returns), returns == 1 ? "" : "s");
  // Not every return has a hardware exit of its own (a signal's has none, nor has the second part of an MMIO
  // access that crosses a page), so that the difference is but a bound of what KVM served itself.
  if (*kernel > returns) {
    return fmt::format("{}: at least the difference, {}, KVM served itself.", both,
                       grouped(*kernel - returns));
  }
  if (*kernel < returns) {
    return fmt::format("{}, {} more: it can return without a hardware exit.", both,
                       grouped(returns - *kernel));
  }
  return both + '.';
}

std::string ending_of(const Report& report) {
  return fmt::format("{} after {}, exit status {}", report.ending, duration(report.wall_seconds),
                     report.exit_status);
}

Facts host_of(const Report& report) {
  Facts facts = report.host;
  const std::uint64_t khz = report.snapshot.tsc_khz;
  facts.emplace_back("tsc frequency",
                     khz == 0 ? "unknown" : fmt::format("{}.{:03} MHz", khz / 1000, khz % 1000));
  return facts;
}

std::vector<std::string> advice(const Report& report, const Account& account) {
  if (account.total.count == 0) return {};
  const stats::ReasonStats& most = account.reasons.front();
  const Clock clock(report.snapshot.tsc_khz);
  const std::string share =
      most.service.sum == 0
          ? ""
          : fmt::format(" ({} % of it)", per_cent(most.service.sum, account.total.service.sum));
  std::vector<std::string> sentences{
      fmt::format("Most service time: {}, {} for {}{}.", stats::userspace_reason_name(most.reason),
                  clock.show(most.service.sum), exits_in_words(most.count), share)};
  sentences.push_back(description_of(most.reason));
  if (const stats::ReasonText* text = stats::userspace_reason(most.reason)) {
    if (!text->cause.empty()) sentences.push_back(fmt::format("Usual cause: {}", text->cause));
    if (!text->remedy.empty()) sentences.push_back(fmt::format("What lessens it: {}", text->remedy));
  }
  return sentences;
}

}  // namespace kvmbench::report
