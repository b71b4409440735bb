/// One request to a disk's file, done before it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <shared_mutex>
#include <span>

#include "devices/block_storage.hpp"
#include "hostio/disk_file.hpp"

namespace kvmbench::hostio {

/// A thread's own: several may do I/O to one file, each with one of these and all with the same `writers`.
class DiskIo final {
 public:
  /// `writers` keeps what rewrites a whole block of the file for the sake of one sector apart from other
  /// writes.
  /// `alignment`: the file's, or a stricter one.
  DiskIo(const DiskFile& file, std::shared_mutex& writers, DirectAlignment alignment);

  /// Reads what the host's page cache has, or writes whole pages into it; false if it cannot, or not all of
  /// it: perform() then does it again. Any thread.
  [[nodiscard]] bool transfer_cached(const BlockRequest& request) const noexcept;
  /// 0, or the errno of what failed: EROFS and EINVAL also for a request that the file cannot have, EIO where
  /// it has become shorter.
  [[nodiscard]] int perform(BlockRequest& request) noexcept;

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };

  [[nodiscard]] bool possible(const BlockRequest& request) const noexcept;
  [[nodiscard]] bool aligned(const BlockRequest& request) const noexcept;
  [[nodiscard]] int change(BlockRequest& request) noexcept;
  [[nodiscard]] int transfer(BlockRequest& request) noexcept;
  /// By way of `bounce_`, whole blocks of the file at a time.
  [[nodiscard]] int transfer_bounced(BlockRequest& request) noexcept;
  [[nodiscard]] int discard(std::uint64_t offset, std::uint64_t length) noexcept;
  [[nodiscard]] int write_zeroes(const BlockRequest& request) noexcept;
  [[nodiscard]] int flush() noexcept;

  const DiskFile& file_;
  std::shared_mutex& writers_;
  DirectAlignment alignment_;
  std::unique_ptr<std::byte, Free> bounce_;
};

}  // namespace kvmbench::hostio
