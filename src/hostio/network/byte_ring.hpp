/// A bounded queue of bytes: what a socket has not taken yet. For one thread, or under its owner's lock.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace kvmbench::hostio {

class ByteRing final {
 public:
  static constexpr std::size_t capacity = std::size_t{1} << 20;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t room() const noexcept { return capacity - size_; }

  /// No more than there is room for.
  void push(std::span<const std::byte> bytes) noexcept {
    const std::size_t at = (head_ + size_) % capacity;
    const std::size_t first = std::min(bytes.size(), capacity - at);
    if (first != 0) std::memcpy(ring_.get() + at, bytes.data(), first);
    if (first != bytes.size()) std::memcpy(ring_.get(), bytes.data() + first, bytes.size() - first);
    size_ += bytes.size();
  }

  /// All of it, the oldest byte first; valid until the next call. The second piece may be empty.
  [[nodiscard]] std::array<iovec, 2> pieces() const noexcept {
    const std::size_t first = std::min(size_, capacity - head_);
    return {{{ring_.get() + head_, first}, {ring_.get(), size_ - first}}};
  }

  /// The oldest `count` are done with; no more than there are.
  void drop(std::size_t count) noexcept {
    head_ = (head_ + count) % capacity;
    size_ -= count;
  }

 private:
  std::unique_ptr<std::byte[]> ring_ = std::make_unique_for_overwrite<std::byte[]>(capacity);
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace kvmbench::hostio
