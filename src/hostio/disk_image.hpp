/// The storage behind a guest's disk: a file, and threads that do its I/O.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "devices/block_storage.hpp"
#include "hostio/disk_file.hpp"
#include "hostio/disk_io.hpp"

namespace kvmbench::hostio {

/// Threads rather than io_uring: what the host has in its page cache costs one copy either way, buffered
/// writes and fdatasync are handed to threads of the kernel's there as they are to ours here, and every
/// kernel and every sandbox has threads.
///
/// A request wakes at most one of them, which serves all that wait until it is about to block; only then it
/// wakes the next. So requests that the page cache can serve cost one wake-up a burst, and those that it
/// cannot are under way together.
class DiskImage final : public BlockStorage {
 public:
  static constexpr unsigned threads = 8;

  /// `name` ("disk0") names the threads, and it in messages. Throws as DiskFile does, and HostError where the
  /// threads cannot be had.
  DiskImage(std::string name, const std::string& path, bool read_only, DiskCache cache);
  DiskImage(const DiskImage&) = delete;
  DiskImage& operator=(const DiskImage&) = delete;
  /// What was submitted is still served.
  ~DiskImage() override;

  [[nodiscard]] std::uint64_t size() const noexcept override { return file_.size(); }
  [[nodiscard]] bool read_only() const noexcept override { return file_.read_only(); }
  void submit(BlockRequest& request) noexcept override;
  [[nodiscard]] bool serve_at_once(BlockRequest& request) noexcept override;
  void drain() noexcept override;

  /// What went wrong so far, for the user: how many requests failed and why the first one did. "" where none
  /// has.
  [[nodiscard]] std::string trouble() const;

 private:
  struct Failure {
    BlockRequest::Kind kind;
    std::uint64_t offset;
    std::uint64_t length;
    int error;
  };

  void work(DiskIo& io) noexcept;
  void serve(DiskIo& io, BlockRequest& request) noexcept;
  [[nodiscard]] BlockRequest* pop() noexcept;
  /// One more thread looks for requests, if none does. With `mutex_` held.
  void wake_one() noexcept;
  void start_threads();
  void stop_threads() noexcept;

  const std::string name_;
  const std::string path_;
  const DiskFile file_;
  std::shared_mutex writers_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable drained_;
  BlockRequest* first_ = nullptr;  ///< those that wait, in order
  BlockRequest* last_ = nullptr;
  std::uint64_t outstanding_ = 0;  ///< those that wait and those being served
  unsigned idle_ = 0;              ///< threads that sleep
  unsigned called_ = 0;            ///< of them, those that have been woken
  unsigned looking_ = 0;           ///< threads that will look for the next request before they block
  bool stopping_ = false;
  std::uint64_t failures_ = 0;
  Failure first_failure_{};

  std::vector<DiskIo> ios_;  // a thread's each
  std::vector<std::thread> threads_;
};

}  // namespace kvmbench::hostio
