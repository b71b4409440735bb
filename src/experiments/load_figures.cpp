#include "experiments/load_figures.hpp"

#include <algorithm>
#include <cerrno>

#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {
namespace {

constexpr std::uint8_t mark_work = 0x10;  // guests/load.c
constexpr std::uint64_t port_of_marks = 0x80;

}  // namespace

std::uint64_t load_rounds(const ArmRun& run) {
  std::uint64_t rounds = 0;
  for (const report::GuestFigures& vcpu : run.guest.results) rounds += vcpu.number("rounds").value_or(0);
  return rounds;
}

std::optional<double> load_rate(const ArmRun& run) {
  double rate = 0;
  for (const report::GuestFigures& vcpu : run.guest.results) {
    const auto rounds = vcpu.number("rounds"), cycles = vcpu.number("cycles");
    if (rounds && cycles && *cycles != 0)
      rate += static_cast<double>(*rounds) / run.seconds(static_cast<double>(*cycles));
  }
  return rate > 0 ? std::optional(rate) : std::nullopt;
}

std::optional<double> load_p99(const ArmRun& run) {
  std::optional<double> greatest;
  for (const report::GuestFigures& vcpu : run.guest.results) {
    const auto p99 = vcpu.number("p99");
    if (p99) greatest = std::max(greatest.value_or(0), run.seconds(static_cast<double>(*p99)));
  }
  return greatest;
}

stats::KeyStats load_returns(const ArmRun& run) {
  return run.exits_where(mark_work, [](const stats::ExitKey& key) {
    const bool mark = key.reason == KVM_EXIT_IO && key.address == port_of_marks;
    return !mark && key.reason != KVM_EXIT_INTR && key.reason != (stats::error_reason | EAGAIN);
  });
}

}  // namespace kvmbench::experiments
