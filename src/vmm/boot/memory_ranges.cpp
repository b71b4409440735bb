#include "vmm/boot/memory_ranges.hpp"

#include "memory/memory_map.hpp"

namespace kvmbench::boot {
namespace {

constexpr std::uint64_t distance(Gpa from, Gpa to) {
  return to.value - from.value;
}

// A page for the identity map and three for the TSS, which Intel's KVM keeps in the guest's own address
// space.
constexpr Gpa kvm_pages_end = memory_map::kvm_tss + 3 * 4096;

}  // namespace

std::vector<MemoryRange> memory_ranges(const GuestMemory& memory) {
  using namespace memory_map;
  const GuestMemory::Region& low = memory.regions().front();
  std::vector<MemoryRange> ranges{
      {Gpa{0}, ebda.value, MemoryType::usable},
      {ebda, distance(ebda, bios_area_end), MemoryType::reserved},
  };
  if (low.bytes.size() > bios_area_end.value) {
    ranges.push_back({bios_area_end, low.bytes.size() - bios_area_end.value, MemoryType::usable});
  }
  ranges.push_back({kvm_identity_map, distance(kvm_identity_map, kvm_pages_end), MemoryType::reserved});
  for (const GuestMemory::Region& high : memory.regions().subspan(1)) {
    ranges.push_back({high.start, high.bytes.size(), MemoryType::usable});
  }
  return ranges;
}

}  // namespace kvmbench::boot
