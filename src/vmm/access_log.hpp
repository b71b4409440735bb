/// A list of accesses that any number of vCPUs write and nobody waits for: its room is fixed, and what comes
/// when it is full is only counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "stats/memory_access.hpp"

namespace kvmbench {

class AccessLog final {
 public:
  /// Room for `capacity` of them, allocated now.
  explicit AccessLog(std::size_t capacity)
      : capacity_(capacity), entries_(std::make_unique<Entry[]>(capacity)) {}

  /// Any thread.
  void add(const stats::MemoryAccess& access) noexcept {
    const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= capacity_) return;
    entries_[index].access = access;
    entries_[index].written.store(true, std::memory_order_release);
  }

  /// Those that are there, in the order they came. Any thread, at any time.
  [[nodiscard]] std::vector<stats::MemoryAccess> accesses() const {
    std::vector<stats::MemoryAccess> all;
    for (std::size_t i = 0; i < capacity_ && i < next_.load(std::memory_order_relaxed); ++i) {
      if (entries_[i].written.load(std::memory_order_acquire)) all.push_back(entries_[i].access);
    }
    return all;
  }
  /// How many found no room.
  [[nodiscard]] std::size_t further() const noexcept {
    const std::size_t all = next_.load(std::memory_order_relaxed);
    return all > capacity_ ? all - capacity_ : 0;
  }

 private:
  struct Entry {
    stats::MemoryAccess access;
    std::atomic<bool> written{false};
  };
  const std::size_t capacity_;
  const std::unique_ptr<Entry[]> entries_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace kvmbench
