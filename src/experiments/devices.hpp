/// What the experiments with disks and networks share: devices of arms, the places of virtio's registers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/context.hpp"
#include "report/experiment.hpp"

namespace kvmbench::experiments {

/// Registers of the first virtio device (vmm/virtio_slots.hpp; VIRTIO 1.2, 4.2.2).
enum class VirtioRegister : std::uint64_t {
  queue_notify = 0xd0000050,
  interrupt_status = 0xd0000060,
  interrupt_ack = 0xd0000064,
};

/// Accesses of it in the phase that began with this mark.
[[nodiscard]] std::uint64_t accesses(const ArmRun& run, std::uint8_t mark, VirtioRegister at);

/// Exits in a phase without the one by which the guest begins the next.
[[nodiscard]] std::uint64_t exits_of_work(const ArmRun& run, std::uint8_t mark);

/// What a device counts of itself over the whole run: ("virtio-blk0", "doorbells").
[[nodiscard]] std::optional<std::uint64_t> operations_of(const ArmRun& run, std::string_view device,
                                                         std::string_view operation);

/// Where each of these runs has failed, why; the failures go to the result.
[[nodiscard]] std::optional<std::string> failed(const std::vector<ArmRun>& runs,
                                                report::ExperimentResult& result);

/// The median of `figure(run)`, nothing where no run has it.
template <class Figure>
[[nodiscard]] std::optional<double> median_over(const std::vector<ArmRun>& runs, const Figure& figure) {
  const report::ExperimentCell cell = spread_over(runs, figure);
  if (const auto* spread = std::get_if<report::Spread>(&cell)) return spread->median;
  return std::nullopt;
}

/// A guest's figure in cycles as seconds, of each repetition.
[[nodiscard]] report::ExperimentCell seconds_of(const std::vector<ArmRun>& runs, std::string_view arm,
                                                std::string_view figure);

}  // namespace kvmbench::experiments
