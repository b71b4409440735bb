/// What is to lie where in guest memory. Everything is checked as it is planned; nothing is written before
/// the whole plan stands, so a bad image leaves guest memory as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "memory/guest_memory.hpp"

namespace kvmbench::boot {

inline constexpr std::uint64_t page_size = 4096;

class LoadPlan final {
 public:
  /// The BIOS area (with the extended BIOS data area before it) is taken from the start.
  explicit LoadPlan(const GuestMemory& memory);

  /// Takes [start, start + size) for `what` (its name in messages, "vmlinux: segment 2"), and has `bytes`
  /// written to its beginning; the rest stays as it is, which is zero in a new machine. Throws UsageError
  /// where the range is not RAM or is taken already. The bytes must outlive the plan.
  void place(std::string what, Gpa start, std::uint64_t size, std::span<const std::byte> bytes = {});
  /// The same for bytes that the plan keeps.
  void place(std::string what, Gpa start, std::vector<std::byte> bytes);

  /// The page-aligned free range of `size` bytes in RAM below 4 GiB that lies highest and ends at or below
  /// `limit`, or that lies lowest from `from` on. Nothing below 1 MiB is offered. Empty if there is none.
  [[nodiscard]] std::optional<Gpa> highest_free(std::uint64_t size, std::uint64_t limit) const;
  [[nodiscard]] std::optional<Gpa> lowest_free(std::uint64_t size, std::uint64_t from) const;

  /// How much RAM there is below 4 GiB.
  [[nodiscard]] std::uint64_t low_ram_end() const;

  void write_to(GuestMemory& memory) const;

 private:
  struct Piece {
    std::string what;
    std::uint64_t start;
    std::uint64_t size;
    std::span<const std::byte> bytes;
  };
  [[nodiscard]] const Piece* taken_by(std::uint64_t start, std::uint64_t size) const;

  const GuestMemory& memory_;
  std::map<std::uint64_t, Piece> pieces_;  // by start; they do not overlap
  std::vector<std::vector<std::byte>> kept_;
};

/// The bytes of one value, to be placed.
template <class T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::vector<std::byte> bytes_of(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

}  // namespace kvmbench::boot
