/// What --disk names: images on the host, and the devices by which the guest sees them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hostio/disk_image.hpp"
#include "vmm/ide_disks.hpp"
#include "vmm/virtio_slot.hpp"

namespace kvmbench::cli {

enum class DiskModel { ata, virtio };

/// Outlives the machine.
class HostDisks final {
 public:
  /// Opens an image for each of `specs` ("FILE,readonly,..."); `usual` is the model of those that name none.
  /// Throws UsageError, HostError.
  HostDisks(const std::vector<std::string>& specs, DiskModel usual);

  [[nodiscard]] const std::vector<IdeDisk>& ata() const noexcept { return ata_; }
  [[nodiscard]] const std::vector<VirtioAttachment>& virtio() const noexcept { return virtio_; }

  /// A line for each image that requests have failed on.
  [[nodiscard]] std::vector<std::string> troubles() const;

 private:
  void add(const std::string& spec, DiskModel usual);

  std::vector<std::unique_ptr<hostio::DiskImage>> images_;
  std::vector<IdeDisk> ata_;
  std::vector<VirtioAttachment> virtio_;
};

}  // namespace kvmbench::cli
