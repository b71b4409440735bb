/// Guest RAM and the only way to it: by guest-physical address, checked.
///
/// It lies in a folder of its own because devices (which know nothing of KVM), the boot protocols and the VMM
/// all use it. A guest is hostile: whatever address or length it names, nothing outside its memory is
/// touched.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace kvmbench {

/// A guest-physical address. A type of its own, so that nobody dereferences one by accident.
struct Gpa {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(Gpa, Gpa) = default;
  /// Wraps at 2^64; range checks are GuestMemory's.
  friend constexpr Gpa operator+(Gpa base, std::uint64_t offset) { return Gpa{base.value + offset}; }
};

/// Where RAM lies: from 0 to at most 3 GiB, and what is left from 4 GiB on; between them devices and tables.
inline constexpr std::uint64_t low_ram_limit = 0xC000'0000;
inline constexpr std::uint64_t high_ram_start = 0x1'0000'0000;

class GuestMemory final {
 public:
  struct Region {
    Gpa start;
    std::span<std::byte> bytes;
  };
  enum class Backing { normal_pages, huge_pages };

  /// Maps `size` bytes (a multiple of 4 KiB, at least 1 MiB, at most 64 TiB) of zeroed, not yet committed
  /// memory (MAP_NORESERVE), split around the hole. Huge pages are 2 MiB hugetlbfs pages; `size` is then a
  /// multiple of 2 MiB. Throws UsageError for a size out of range, HostError where the host cannot map it.
  explicit GuestMemory(std::uint64_t size, Backing backing = Backing::normal_pages);
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  ~GuestMemory();

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// In ascending order of address; one or two.
  [[nodiscard]] std::span<const Region> regions() const noexcept { return regions_; }

  /// The bytes [start, start + length); empty if length is 0 or any byte is not RAM. A range never spans two
  /// regions. The guest may change what is read through it at any time: copy first, then check.
  [[nodiscard]] std::span<std::byte> range(Gpa start, std::uint64_t length) const noexcept;

  /// From now on these bytes are no RAM to range() and to all that goes through it: what the guest may not
  /// reach, no device reaches for it. Before the guest runs, on one thread.
  void forbid(Gpa start, std::uint64_t length) { forbidden_.push_back({start, length}); }

  /// Copies; false, and nothing copied, where any byte of the range is not RAM.
  [[nodiscard]] bool read(Gpa start, std::span<std::byte> to) const noexcept;
  [[nodiscard]] bool write(Gpa start, std::span<const std::byte> from) noexcept;

  /// One little-endian value, of any alignment.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::optional<T> load(Gpa at) const noexcept {
    T value;
    if (!read(at, std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
    return value;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool store(Gpa at, const T& value) noexcept {
    return write(at, std::as_bytes(std::span(&value, 1)));
  }

 private:
  struct Forbidden {
    Gpa start;
    std::uint64_t length;
  };
  [[nodiscard]] bool is_forbidden(Gpa start, std::uint64_t length) const noexcept;

  std::uint64_t size_;
  std::vector<Region> regions_;
  std::vector<Forbidden> forbidden_;
};

}  // namespace kvmbench
