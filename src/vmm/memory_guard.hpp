/// Guarded memory: how the guest's RAM is cut into KVM's memory slots so that what is guarded comes out of
/// KVM (Documentation/virt/kvm/api.rst, KVM_SET_USER_MEMORY_REGION), and what becomes of what came.
///
/// A range that is off limits has no slot, and every access of it is KVM_EXIT_MMIO; one that is read-only, or
/// watched by exits, has a slot with KVM_MEM_READONLY, and every write is. This is by guest-physical address:
/// whatever the guest's page tables say makes no difference. All other memory has slots as it would have
/// without.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "devices/device.hpp"
#include "stats/memory_access.hpp"
#include "vmm/access_log.hpp"
#include "vmm/guarded_range.hpp"

namespace kvmbench {

/// A part of the guest's RAM that is one slot.
struct RamSlot {
  Gpa start;
  std::span<std::byte> bytes;
  std::uint32_t flags = 0;             ///< KVM_MEM_*
  std::optional<std::size_t> range{};  ///< the guarded range that it is, by its index
};

class MemoryGuard final {
 public:
  /// Accesses that are listed; further ones are counted.
  static constexpr std::size_t most_listed = 4096;

  /// Throws UsageError where a range is not RAM, or two share a page.
  MemoryGuard(const GuestMemory& memory, std::vector<GuardedRange> ranges);

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] bool has(GuardedRange::Kind kind) const noexcept;
  [[nodiscard]] bool injects() const noexcept;
  /// In ascending order.
  [[nodiscard]] std::span<const GuardedRange> ranges() const noexcept { return ranges_; }
  /// All RAM but what is off limits, in ascending order.
  [[nodiscard]] std::vector<RamSlot> slots() const;

  /// An access that came out of KVM, and who made it.
  struct Caught {
    std::uint64_t address;
    Direction direction;
    unsigned width;
    std::byte* data;  ///< what is written, or room for what is read
    std::uint32_t vcpu;
    std::uint64_t rip;
    stats::Cycles when;
  };
  /// Whether it is this object's to serve.
  [[nodiscard]] bool covers(std::uint64_t address) const noexcept { return find(address) != nullptr; }
  /// Serves it, counts it and lists it. A read of what is off limits gives all ones, a write to protected
  /// memory changes nothing, one to watched memory is done. Gives what is to follow. Any vCPU thread.
  [[nodiscard]] GuardedRange::Action serve(const Caught& access) noexcept;
  /// The guest has been told of an access at `address`.
  void told(std::uint64_t address) noexcept;
  /// A page of `range` has been found modified. Any thread.
  void modified(std::size_t range, std::uint64_t page, std::optional<std::uint32_t> vcpu,
                stats::Cycles when) noexcept;

  /// Any thread, at any time.
  [[nodiscard]] stats::GuardedAccount account() const;
  /// What stands for a device in the names of keys; null where `address` is not guarded.
  [[nodiscard]] const Device* device_at(std::uint64_t address) const noexcept;

 private:
  struct Counts {
    std::atomic<std::uint64_t> reads{0}, writes{0}, told{0};
  };
  [[nodiscard]] const GuardedRange* find(std::uint64_t address) const noexcept;
  [[nodiscard]] std::size_t index_of(const GuardedRange& range) const noexcept {
    return static_cast<std::size_t>(&range - ranges_.data());
  }

  const GuestMemory& memory_;
  const std::vector<GuardedRange> ranges_;
  const std::unique_ptr<Counts[]> counts_;
  AccessLog log_;
};

}  // namespace kvmbench
