#include "cli/host_devices.hpp"

#include <memory>
#include <utility>

#include "cli/device_options.hpp"
#include "cli/terminal_size.hpp"
#include "devices/virtio/entropy_device.hpp"

namespace kvmbench::cli {

ConsoleOptions console_options(const RunOptions& options) {
  ConsoleOptions console;
  console.paravirtual = options.devices == DeviceModel::paravirtual;
  if (!options.console) return console;
  DeviceOptions given("--console", *options.console);
  if (given.value() != "uart" && given.value() != "virtio") given.refuse("a console is uart or virtio");
  console.paravirtual = given.value() == "virtio";
  if (console.paravirtual) {
    console.backend = given.text("backend").value_or("stdio");
    console.connection = take_virtio_options(given);
  }
  given.finish();
  return console;
}

HostDevices::HostDevices(const RunOptions& options, CharacterSink& console_sink)
    : disks_(options.disks, options.devices == DeviceModel::paravirtual ? DiskModel::virtio : DiskModel::ata),
      networks_(options.networks, options.devices) {
  if (const ConsoleOptions console = console_options(options); console.paravirtual) {
    add_console(console, console_sink);
  }
  virtio_.insert(virtio_.end(), disks_.virtio().begin(), disks_.virtio().end());
  for (VirtioAttachment& network : networks_.virtio()) virtio_.push_back(std::move(network));
  if (options.rng) add_rng(*options.rng);
}

void HostDevices::add_console(const ConsoleOptions& console, CharacterSink& sink) {
  const std::optional<TerminalSize> terminal = console.backend == "stdio" ? terminal_size() : std::nullopt;
  const auto make = [this, &sink, terminal](const GuestMemory& memory) {
    std::optional<virtio::ConsoleDevice::Size> size;
    if (terminal) size = {.columns = terminal->columns, .rows = terminal->rows};
    auto device = std::make_unique<virtio::ConsoleDevice>("virtio-console0", memory, sink, size);
    console_ = device.get();
    return device;
  };
  virtio_.push_back({.make = make, .options = console.connection});
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
