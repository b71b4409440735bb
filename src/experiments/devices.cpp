#include "experiments/devices.hpp"

#include <algorithm>

#include "vmm/linux_kvm.hpp"

namespace kvmbench::experiments {

std::uint64_t accesses(const ArmRun& run, std::uint8_t mark, VirtioRegister at) {
  return run.exits_at(mark, KVM_EXIT_MMIO, static_cast<std::uint64_t>(at)).count;
}

std::uint64_t exits_of_work(const ArmRun& run, std::uint8_t mark) {
  const std::uint64_t all = run.exits_in(mark).count;
  return all == 0 ? 0 : all - 1;
}

std::optional<std::uint64_t> operations_of(const ArmRun& run, std::string_view device,
                                           std::string_view operation) {
  for (const auto& of_device : run.report.snapshot.operations) {
    if (of_device.device != device) continue;
    for (const auto& counted : of_device.counts) {
      if (counted.name == operation) return counted.count;
    }
  }
  return std::nullopt;
}

std::optional<std::string> failed(const std::vector<ArmRun>& runs, report::ExperimentResult& result) {
  std::optional<std::string> why;
  for (const ArmRun& run : runs) {
    if (!run.failed()) continue;
    result.failures.push_back(run.failure);
    why = run.failure;
  }
  const bool all = std::all_of(runs.begin(), runs.end(), [](const ArmRun& run) { return run.failed(); });
  return all ? why.value_or("it was not run") : std::optional<std::string>();
}

report::ExperimentCell seconds_of(const std::vector<ArmRun>& runs, std::string_view arm,
                                  std::string_view figure) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto cycles = run.guest.figure(arm, figure);
    return cycles ? std::optional(run.seconds(*cycles)) : std::nullopt;
  });
}

}  // namespace kvmbench::experiments
