#include "vmm/boot/load_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "memory/memory_map.hpp"

namespace kvmbench::boot {
namespace {

constexpr std::uint64_t one_mib = 1 << 20;

constexpr std::uint64_t page_floor(std::uint64_t address) {
  return address & ~(page_size - 1);
}

/// Why [start, start + size), which is not RAM, is not.
std::string not_ram(const GuestMemory& memory, std::uint64_t start, std::uint64_t size) {
  if (start + size < start) return "wraps around the end of the address space";
  const bool in_hole = start < high_ram_start && start + size > low_ram_limit;
  if (in_hole) {
    return fmt::format("lies over the hole for devices between {:#x} and {:#x}; it must lie elsewhere",
                       low_ram_limit, high_ram_start);
  }
  return fmt::format("reaches past the guest's memory of {} MiB: give it more (--mem)",
                     memory.size() / one_mib);
}

}  // namespace

LoadPlan::LoadPlan(const GuestMemory& memory) : memory_(memory) {
  place("the BIOS area", memory_map::ebda, memory_map::bios_area_end.value - memory_map::ebda.value);
}

const LoadPlan::Piece* LoadPlan::taken_by(std::uint64_t start, std::uint64_t size) const {
  const auto after = pieces_.lower_bound(start + size);
  if (after == pieces_.begin()) return nullptr;
  const Piece& before = std::prev(after)->second;
  return before.start + before.size > start ? &before : nullptr;
}

void LoadPlan::place(std::string what, Gpa start, std::uint64_t size, std::span<const std::byte> bytes) {
  if (size == 0) return;
  if (memory_.range(start, size).empty()) {
    throw UsageError(fmt::format("{} ({:#x} bytes at {:#x}) {}", what, size, start.value,
                                 not_ram(memory_, start.value, size)));
  }
  if (const Piece* other = taken_by(start.value, size)) {
    throw UsageError(fmt::format("{} ({:#x} bytes at {:#x}) overlaps {} ({:#x} bytes at {:#x})", what, size,
                                 start.value, other->what, other->size, other->start));
  }
  pieces_.emplace(start.value, Piece{std::move(what), start.value, size, bytes});
}

void LoadPlan::place(std::string what, Gpa start, std::vector<std::byte> bytes) {
  const std::vector<std::byte>& kept = kept_.emplace_back(std::move(bytes));
  place(std::move(what), start, kept.size(), kept);
}

std::uint64_t LoadPlan::low_ram_end() const {
  return memory_.regions().front().bytes.size();
}

std::optional<Gpa> LoadPlan::highest_free(std::uint64_t size, std::uint64_t limit) const {
  std::uint64_t top = std::min(limit, low_ram_end());
  while (top >= size) {
    const std::uint64_t start = page_floor(top - size);
    if (start < one_mib) break;
    const Piece* other = taken_by(start, size);
    if (!other) return Gpa{start};
    top = other->start;
  }
  return std::nullopt;
}

std::optional<Gpa> LoadPlan::lowest_free(std::uint64_t size, std::uint64_t from) const {
  const std::uint64_t end = low_ram_end();
  std::uint64_t start = std::max(from, one_mib);
  while (start < end) {
    start = page_floor(start + page_size - 1);
    if (start >= end || size > end - start) break;
    const Piece* other = taken_by(start, size);
    if (!other) return Gpa{start};
    start = other->start + other->size;
  }
  return std::nullopt;
}

void LoadPlan::write_to(GuestMemory& memory) const {
  for (const auto& [start, piece] : pieces_) {
    if (!piece.bytes.empty() && !memory.write(Gpa{start}, piece.bytes)) {
      throw std::logic_error("a load plan was written to a memory that it was not made for");
    }
  }
}

}  // namespace kvmbench::boot
