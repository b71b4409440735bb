#include "vmm/boot/environment.hpp"

#include <array>

#include "memory/memory_map.hpp"
#include "vmm/boot/gdt.hpp"

namespace kvmbench::boot {
namespace {

constexpr std::uint64_t stack_size = 0x1000;

// Intel SDM vol. 3A, 4.5: bits of a 4-level paging entry.
constexpr std::uint64_t present = 1 << 0;
constexpr std::uint64_t writable = 1 << 1;
constexpr std::uint64_t maps_page = 1 << 7;  // in a page directory: a 2 MiB page

constexpr std::uint64_t large_page = 2 << 20;
constexpr std::size_t table_entries = 512;
constexpr std::size_t directories = identity_map_end / (large_page * table_entries);

/// One PML4 table, one page-directory-pointer table and four page directories, a page each.
std::vector<std::byte> identity_map() {
  std::array<std::uint64_t, (2 + directories) * table_entries> tables{};
  const auto table_at = [](std::size_t page) {
    return memory_map::boot_page_tables.value + page * page_size;
  };
  tables[0] = table_at(1) | present | writable;
  for (std::size_t i = 0; i < directories; ++i) {
    tables[table_entries + i] = table_at(2 + i) | present | writable;
  }
  for (std::size_t i = 0; i < directories * table_entries; ++i) {
    tables[2 * table_entries + i] = i * large_page | present | writable | maps_page;
  }
  return bytes_of(tables);
}

}  // namespace

void place_environment(CpuMode mode, LoadPlan& plan) {
  if (mode == CpuMode::real16) return;
  plan.place("the boot GDT", memory_map::boot_gdt, bytes_of(gdt::table(mode)));
  plan.place("the boot stack", Gpa{memory_map::boot_stack_top.value - stack_size}, stack_size);
  if (mode == CpuMode::long64)
    plan.place("the boot page tables", memory_map::boot_page_tables, identity_map());
}

}  // namespace kvmbench::boot
