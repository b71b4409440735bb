#include "memory/guest_memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include "base/error.hpp"

namespace kvmbench {
namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t tib = mib * mib;
constexpr std::uint64_t huge_page = 2 * mib;

void* map_anonymous(std::uint64_t size, int flags) {
  return ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/// `size` bytes that begin where a huge page of the guest's does, so that the kernel can put huge pages of
/// the host's there: a booting Linux then takes some hundred nested page faults, and some 24,000 otherwise.
void* map_aligned(std::uint64_t size) {
  void* at = map_anonymous(size + huge_page, MAP_NORESERVE);
  if (at == MAP_FAILED) return at;
  const auto first = reinterpret_cast<std::uintptr_t>(at);
  const std::uint64_t before = (huge_page - first % huge_page) % huge_page;
  auto* aligned = static_cast<std::byte*>(at) + before;
  if (before > 0) ::munmap(at, before);
  ::munmap(aligned + size, huge_page - before);
  ::madvise(aligned, size, MADV_HUGEPAGE);  // a kernel without them has small ones
  return aligned;
}

std::span<std::byte> map(std::uint64_t size, GuestMemory::Backing backing) {
  const bool huge = backing == GuestMemory::Backing::huge_pages;
  // Huge pages are reserved now: a guest that touches one which is not there would die of SIGBUS.
  void* at = huge ? map_anonymous(size, MAP_HUGETLB) : map_aligned(size);
  if (at == MAP_FAILED) {
    throw HostError::from_errno(fmt::format("cannot map {} MiB of guest memory (--mem){}", size / mib,
                                            huge ? " in huge pages (see /proc/sys/vm/nr_hugepages)" : ""));
  }
  ::madvise(at, size, MADV_DONTDUMP);
  return {static_cast<std::byte*>(at), size};
}

}  // namespace

GuestMemory::GuestMemory(std::uint64_t size, Backing backing) : size_(size) {
  const std::uint64_t granule = backing == Backing::huge_pages ? huge_page : 4 * kib;
  if (size < mib || size > 64 * tib) {
    throw UsageError(fmt::format("guest memory of {} bytes: a machine has 1 MiB to 64 TiB", size));
  }
  if (size % granule != 0) {
    throw UsageError(
        fmt::format("guest memory of {} bytes is not a multiple of {} KiB", size, granule / kib));
  }
  const std::uint64_t low = std::min(size, low_ram_limit);
  regions_.push_back({Gpa{0}, map(low, backing)});
  if (size > low) {
    try {
      regions_.push_back({Gpa{high_ram_start}, map(size - low, backing)});
    } catch (...) {
      ::munmap(regions_[0].bytes.data(), low);
      throw;
    }
  }
}

GuestMemory::~GuestMemory() {
  for (const Region& region : regions_) ::munmap(region.bytes.data(), region.bytes.size());
}

std::span<std::byte> GuestMemory::range(Gpa start, std::uint64_t length) const noexcept {
  for (const Region& region : regions_) {
    if (start < region.start) continue;
    const std::uint64_t offset = start.value - region.start.value;
    if (offset >= region.bytes.size() || length > region.bytes.size() - offset) continue;
    if (!forbidden_.empty() && is_forbidden(start, length)) return {};
    return region.bytes.subspan(offset, length);
  }
  return {};
}

bool GuestMemory::is_forbidden(Gpa start, std::uint64_t length) const noexcept {
  for (const Forbidden& forbidden : forbidden_) {  // no sum wraps: both ranges lie in RAM
    if (start.value < forbidden.start.value + forbidden.length &&
        forbidden.start.value < start.value + length) {
      return true;
    }
  }
  return false;
}

bool GuestMemory::read(Gpa start, std::span<std::byte> to) const noexcept {
  const std::span<std::byte> from = range(start, to.size());
  if (from.size() != to.size() || from.empty()) return false;
  std::memcpy(to.data(), from.data(), to.size());
  return true;
}

bool GuestMemory::write(Gpa start, std::span<const std::byte> from) noexcept {
  const std::span<std::byte> to = range(start, from.size());
  if (to.size() != from.size() || to.empty()) return false;
  std::memcpy(to.data(), from.data(), from.size());
  return true;
}

}  // namespace kvmbench
