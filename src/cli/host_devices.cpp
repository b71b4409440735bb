#include "cli/host_devices.hpp"

#include <memory>
#include <utility>

#include "cli/device_options.hpp"
#include "devices/virtio/entropy_device.hpp"

namespace kvmbench::cli {

HostDevices::HostDevices(const RunOptions& options) : networks_(options.networks) {
  for (VirtioAttachment& network : networks_.virtio()) virtio_.push_back(std::move(network));
  if (options.rng) add_rng(*options.rng);
}

void HostDevices::add_rng(const std::string& spec) {
  DeviceOptions options("--rng", spec);
  if (options.value() != "host") options.refuse("random numbers come from 'host'");
  const VirtioOptions connection = take_virtio_options(options);
  options.finish();
  virtio_.push_back({.make =
                         [this](const GuestMemory& memory) {
                           return std::make_unique<virtio::EntropyDevice>("virtio-rng0", memory, entropy_);
                         },
                     .options = connection});
}

}  // namespace kvmbench::cli
