/// The devices that a machine has only where the user asks for them, and what they are connected to on the
/// host.
#pragma once

#include <string>
#include <vector>

#include "cli/networks.hpp"
#include "cli/run.hpp"
#include "hostio/host_entropy.hpp"
#include "vmm/virtio_slot.hpp"

namespace kvmbench::cli {

/// Outlives the machine.
class HostDevices final {
 public:
  /// Reads the options and opens what they name. Throws UsageError, HostError.
  explicit HostDevices(const RunOptions& options);

  /// In the order of their slots: console, disks, networks, entropy.
  [[nodiscard]] const std::vector<VirtioAttachment>& virtio() const noexcept { return virtio_; }
  [[nodiscard]] Networks& networks() noexcept { return networks_; }

 private:
  void add_rng(const std::string& spec);

  Networks networks_;
  hostio::HostEntropy entropy_;
  std::vector<VirtioAttachment> virtio_;
};

}  // namespace kvmbench::cli
