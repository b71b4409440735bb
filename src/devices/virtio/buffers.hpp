/// A list of pieces of guest memory that a driver wants to be seen as one run of bytes.
///
/// A device must not assume how a driver cuts its buffers (VIRTIO 1.2, 2.7.4.4): a header may lie in one
/// piece or in one a byte. So it takes what it needs by offset.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace kvmbench::virtio {

/// `Byte` is const std::byte for what a device may only read, std::byte for what it may write.
template <class Byte>
class Buffers final {
 public:
  using Piece = std::span<Byte>;

  /// None is empty.
  [[nodiscard]] std::span<const Piece> pieces() const noexcept { return pieces_; }
  /// Bytes in all.
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  /// Copies from `offset` on; returns how many bytes there were, at most `to.size()`. The guest may change
  /// them at any time: copy first, then check.
  std::size_t read(std::uint64_t offset, std::span<std::byte> to) const noexcept {
    std::size_t copied = 0;
    visit(offset, to.size(), [&](Piece piece) {
      std::memcpy(to.data() + copied, piece.data(), piece.size());
      copied += piece.size();
    });
    return copied;
  }
  /// The same the other way.
  std::size_t write(std::uint64_t offset, std::span<const std::byte> from) const noexcept
      requires(!std::is_const_v<Byte>) {
    std::size_t copied = 0;
    visit(offset, from.size(), [&](Piece piece) {
      std::memcpy(piece.data(), from.data() + copied, piece.size());
      copied += piece.size();
    });
    return copied;
  }

  /// One little-endian value; nullopt where it is not there whole.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::optional<T> load(std::uint64_t offset) const noexcept {
    T value;
    if (read(offset, std::as_writable_bytes(std::span(&value, 1))) != sizeof value) return std::nullopt;
    return value;
  }
  /// False, and maybe a part of it written, where there is no room for it whole.
  template <class T>
  requires(std::is_trivially_copyable_v<T> && !std::is_const_v<Byte>)
      [[nodiscard]] bool store(std::uint64_t offset, const T& value) const noexcept {
    return write(offset, std::as_bytes(std::span(&value, 1))) == sizeof value;
  }

  /// Calls `use(piece)` for each piece of the `length` bytes from `offset` on, as far as they are there.
  template <class Use>
  void visit(std::uint64_t offset, std::uint64_t length, const Use& use) const {
    for (const Piece piece : pieces_) {
      if (length == 0) return;
      if (offset >= piece.size()) {
        offset -= piece.size();
        continue;
      }
      const auto first = static_cast<std::size_t>(offset);
      const Piece part = piece.subspan(
          first, static_cast<std::size_t>(std::min<std::uint64_t>(length, piece.size() - first)));
      use(part);
      length -= part.size();
      offset = 0;
    }
  }

  void clear() noexcept {
    pieces_.clear();
    size_ = 0;
  }
  /// `piece` is not empty; the list stays below 4 GiB (ChainBuilder's business).
  void append(Piece piece) {
    pieces_.push_back(piece);
    size_ += static_cast<std::uint32_t>(piece.size());
  }

 private:
  std::vector<Piece> pieces_;
  std::uint32_t size_ = 0;
};

}  // namespace kvmbench::virtio
