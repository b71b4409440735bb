#include "cli/host_disks.hpp"

#include <fmt/format.h>

#include <array>

#include "cli/device_options.hpp"
#include "devices/virtio/block_device.hpp"

namespace kvmbench::cli {
namespace {

using hostio::DiskCache;
using hostio::DiskImage;

constexpr std::array<std::string_view, 2> models = {"ata", "virtio"};
constexpr std::array<std::string_view, 2> caches = {"writeback", "none"};
constexpr std::array<std::string_view, 2> pio_ways = {"exit", "coalesced"};
constexpr std::size_t serial_length = 20;  // of either kind of disk

}  // namespace

HostDisks::HostDisks(const std::vector<std::string>& specs, DiskModel usual) {
  for (const std::string& spec : specs) add(spec, usual);
}

void HostDisks::add(const std::string& spec, DiskModel usual) {
  const std::string name = fmt::format("disk{}", images_.size());
  DeviceOptions options("--disk", spec);
  if (options.value().empty()) options.refuse("it begins with the image: --disk FILE,...");
  const auto chosen = options.choice("model", models);
  const DiskModel model = chosen ? static_cast<DiskModel>(*chosen) : usual;
  const bool read_only = options.flag("readonly");
  const auto cache =
      options.choice("cache", caches).value_or(0) == 0 ? DiskCache::writeback : DiskCache::none;
  const std::string serial = options.text("serial").value_or(name);
  if (serial.size() > serial_length) {
    options.refuse(fmt::format("serial={}: a disk has room for {} characters", serial, serial_length));
  }
  if (model == DiskModel::ata) {
    const bool coalesced = options.choice("pio", pio_ways).value_or(0) == 1;
    options.finish();
    const auto& image =
        images_.emplace_back(std::make_unique<DiskImage>(name, options.value(), read_only, cache));
    ata_.push_back({.drive = {image.get(), serial}, .coalesced = coalesced});
    return;
  }
  const auto queues =
      static_cast<unsigned>(options.number("queues", 1, virtio::BlockDevice::max_queues).value_or(1));
  const VirtioOptions connection = take_virtio_options(options);
  options.finish();
  DiskImage& image =
      *images_.emplace_back(std::make_unique<DiskImage>(name, options.value(), read_only, cache));
  virtio_.push_back({.make =
                         [&image, serial, queues,
                          device = fmt::format("virtio-blk{}", virtio_.size())](const GuestMemory& memory) {
                           return std::make_unique<virtio::BlockDevice>(device, memory, image, serial,
                                                                        queues);
                         },
                     .options = connection});
}

std::vector<std::string> HostDisks::troubles() const {
  std::vector<std::string> lines;
  for (const auto& image : images_) {
    if (std::string trouble = image->trouble(); !trouble.empty()) lines.push_back(std::move(trouble));
  }
  return lines;
}

}  // namespace kvmbench::cli
