/// The devices that a machine has only where the user asks for them, and what they are connected to on the
/// host.
#pragma once

#include <string>
#include <vector>

#include "cli/host_disks.hpp"
#include "cli/networks.hpp"
#include "cli/run.hpp"
#include "devices/virtio/console_device.hpp"
#include "hostio/host_entropy.hpp"
#include "vmm/virtio_slot.hpp"

namespace kvmbench::cli {

/// What --console and --devices say of the console.
struct ConsoleOptions {
  bool paravirtual = false;       ///< a virtio-console beside the serial ports
  std::string backend = "stdio";  ///< as for --serial
  VirtioOptions connection;
};
/// Throws UsageError.
[[nodiscard]] ConsoleOptions console_options(const RunOptions& options);

/// Outlives the machine.
class HostDevices final {
 public:
  /// Reads the options and opens what they name. Throws UsageError, HostError.
  /// `console_sink`: where a virtio-console's output goes.
  HostDevices(const RunOptions& options, CharacterSink& console_sink);

  /// In the order of their slots: console, disks, networks, entropy.
  [[nodiscard]] const std::vector<VirtioAttachment>& virtio() const noexcept { return virtio_; }
  [[nodiscard]] const HostDisks& disks() const noexcept { return disks_; }
  [[nodiscard]] Networks& networks() noexcept { return networks_; }
  /// Null where there is none; once the machine is built.
  [[nodiscard]] virtio::ConsoleDevice* console() const noexcept { return console_; }

 private:
  void add_console(const ConsoleOptions& console, CharacterSink& sink);
  void add_rng(const std::string& spec);

  HostDisks disks_;
  Networks networks_;
  virtio::ConsoleDevice* console_ = nullptr;

  hostio::HostEntropy entropy_;
  std::vector<VirtioAttachment> virtio_;
};

}  // namespace kvmbench::cli
