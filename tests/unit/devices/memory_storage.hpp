/// A disk's contents in memory, which serves requests when the test says so.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <set>
#include <vector>

#include "devices/block_storage.hpp"

namespace kvmbench::test {

class MemoryStorage final : public BlockStorage {
 public:
  explicit MemoryStorage(std::uint64_t sectors, bool read_only = false)
      : bytes(sectors * sector_size), read_only_(read_only) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return bytes.size(); }
  [[nodiscard]] bool read_only() const noexcept override { return read_only_; }
  void submit(BlockRequest& request) noexcept override {
    waiting.push_back(&request);
    kinds.push_back(request.kind);
  }
  [[nodiscard]] bool serve_at_once(BlockRequest& request) noexcept override {
    return at_once && !all_fail && perform(request);
  }
  void drain() noexcept override { serve_all(); }

  /// Serves the request that waits longest; it fails where it touches a bad sector, or where all fail.
  void serve() {
    BlockRequest& request = *waiting.front();
    waiting.pop_front();
    const bool succeeded = !all_fail && perform(request);
    request.requester->completed(request, succeeded);
  }
  void serve_all() {
    while (!waiting.empty()) serve();
  }

  std::vector<std::byte> bytes;
  std::deque<BlockRequest*> waiting;
  std::vector<BlockRequest::Kind> kinds;  ///< of all that were submitted
  std::set<std::uint64_t> bad_sectors;
  bool all_fail = false;
  bool at_once = false;  ///< as if all were in memory

 private:
  bool perform(BlockRequest& request) {
    using Kind = BlockRequest::Kind;
    if (request.offset > bytes.size() || request.length > bytes.size() - request.offset) return false;
    if (read_only_ && request.kind != Kind::read && request.kind != Kind::flush) return false;
    const std::uint64_t first = request.offset / sector_size, end = first + request.length / sector_size;
    const auto bad = bad_sectors.lower_bound(first);
    if (bad != bad_sectors.end() && *bad < end) return false;
    std::byte* at = bytes.data() + request.offset;
    if (request.kind == Kind::write_zeroes || request.kind == Kind::discard) {
      std::fill_n(at, request.length, std::byte{0});
    }
    for (const iovec& buffer : request.buffers) {
      if (request.kind == Kind::read) std::memcpy(buffer.iov_base, at, buffer.iov_len);
      if (request.kind == Kind::write) std::memcpy(at, buffer.iov_base, buffer.iov_len);
      at += buffer.iov_len;
    }
    return true;
  }

  bool read_only_;
};

}  // namespace kvmbench::test
