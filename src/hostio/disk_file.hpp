/// The file or block device that a disk's contents are kept in: opened, locked, and known well enough to do
/// I/O.
#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.hpp"

namespace kvmbench::hostio {

/// --disk FILE,cache=...: what of the host stands between the guest and the medium.
enum class DiskCache : std::uint8_t {
  writeback,  ///< its page cache; a flush makes it durable
  none,       ///< nothing (O_DIRECT); the medium's own cache is still flushed
};

/// What O_DIRECT wants (open(2)); 1 where everything is allowed.
struct DirectAlignment {
  std::uint64_t offset = 1;  ///< of offsets and lengths in the file
  std::uint64_t memory = 1;  ///< of buffers
};

class DiskFile final {
 public:
  /// Throws UsageError for a file that cannot be a disk, is missing or is in use, before anything of it is
  /// changed; HostError where the host refuses.
  ///
  /// Locks the whole file (an open file description lock, fcntl(2)): readers share it, a writer has it alone.
  /// A block device is also opened exclusively by a writer, which the kernel refuses while it is mounted.
  DiskFile(const std::string& path, bool read_only, DiskCache cache);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Bytes, when it was opened; a multiple of 512.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] bool read_only() const noexcept { return read_only_; }
  [[nodiscard]] DiskCache cache() const noexcept { return cache_; }
  [[nodiscard]] bool block_device() const noexcept { return block_device_; }
  [[nodiscard]] DirectAlignment alignment() const noexcept { return alignment_; }

 private:
  UniqueFd fd_;
  std::uint64_t size_ = 0;
  bool read_only_;
  DiskCache cache_;
  bool block_device_ = false;
  DirectAlignment alignment_;
};

}  // namespace kvmbench::hostio
