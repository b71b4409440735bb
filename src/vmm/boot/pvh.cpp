/// The PVH boot protocol: Xen's docs/misc/pvh.pandoc ("x86/HVM direct boot ABI") and
/// public/arch-x86/hvm/start_info.h; the entry note: public/elfnote.h.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/error.hpp"
#include "memory/memory_map.hpp"
#include "vmm/boot/environment.hpp"
#include "vmm/boot/handover.hpp"
#include "vmm/boot/load_plan.hpp"
#include "vmm/boot/memory_ranges.hpp"
#include "vmm/boot/protocols.hpp"

namespace kvmbench::boot {
namespace {

constexpr std::uint32_t xen_elfnote_phys32_entry = 18;
constexpr std::uint32_t xen_hvm_start_magic_value = 0x336e'c578;

struct hvm_start_info {
  std::uint32_t magic = xen_hvm_start_magic_value;
  std::uint32_t version = 1;
  std::uint32_t flags = 0;
  std::uint32_t nr_modules = 0;
  std::uint64_t modlist_paddr = 0;
  std::uint64_t cmdline_paddr = 0;
  std::uint64_t rsdp_paddr = 0;
  std::uint64_t memmap_paddr = 0;
  std::uint32_t memmap_entries = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(hvm_start_info) == 56);

struct hvm_modlist_entry {
  std::uint64_t paddr = 0;
  std::uint64_t size = 0;
  std::uint64_t cmdline_paddr = 0;
  std::uint64_t reserved = 0;
};
static_assert(sizeof(hvm_modlist_entry) == 32);

struct hvm_memmap_table_entry {
  std::uint64_t addr = 0;
  std::uint64_t size = 0;
  std::uint32_t type = 0;  // numbered as in e820
  std::uint32_t reserved = 0;
};
static_assert(sizeof(hvm_memmap_table_entry) == 24);

template <class T>
void append(std::vector<std::byte>& to, const T& value) {
  const auto bytes = bytes_of(value);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// The start info with its tables behind it: memory map, module list, the modules' names.
class StartInfo final {
 public:
  explicit StartInfo(const Inputs& inputs) {
    info_.cmdline_paddr = memory_map::boot_command_line.value;
    info_.rsdp_paddr = inputs.rsdp.value;
  }

  void set_memory_map(const GuestMemory& memory) {
    info_.memmap_paddr = end();
    for (const MemoryRange& range : memory_ranges(memory)) {
      append(tables_, hvm_memmap_table_entry{.addr = range.start.value,
                                             .size = range.size,
                                             .type = static_cast<std::uint32_t>(range.type)});
      ++info_.memmap_entries;
    }
  }

  void set_modules(const std::vector<File>& modules, LoadPlan& plan) {
    if (modules.empty()) return;
    std::vector<hvm_modlist_entry> list;
    for (const File& module : modules) {
      list.push_back({.paddr = place_high(module, plan.low_ram_end(), plan).value,
                      .size = module.bytes.size(),
                      .cmdline_paddr = end()});
      for (const char c : module.name) append(tables_, c);
      append(tables_, '\0');
    }
    tables_.resize((tables_.size() + 7) & ~std::size_t{7});
    info_.modlist_paddr = end();
    info_.nr_modules = static_cast<std::uint32_t>(list.size());
    for (const hvm_modlist_entry& entry : list) append(tables_, entry);
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::vector<std::byte> all = bytes_of(info_);
    all.insert(all.end(), tables_.begin(), tables_.end());
    return all;
  }

 private:
  [[nodiscard]] std::uint64_t end() const {
    return memory_map::boot_info.value + sizeof info_ + tables_.size();
  }

  hvm_start_info info_;
  std::vector<std::byte> tables_;
};

}  // namespace

std::optional<std::uint64_t> pvh_entry(const ElfFile& elf) {
  const auto descriptor = elf.note("Xen", xen_elfnote_phys32_entry);
  if (!descriptor) return std::nullopt;
  // 4 bytes, or 8 as Linux's 64-bit vmlinux has it.
  std::uint64_t entry = 0;
  std::memcpy(&entry, descriptor->data(), std::min(descriptor->size(), sizeof entry));
  return entry;
}

EntryState load_pvh(const Inputs& inputs, const ElfFile& elf, GuestMemory& memory) {
  LoadPlan plan(memory);
  place_environment(CpuMode::protected32, plan);
  place_command_line(inputs.command_line, memory_map::boot_command_line_max, plan);
  elf.place(plan);
  const std::uint64_t entry = *pvh_entry(elf);
  if (!elf.loads(entry) || entry >= high_ram_start) {
    throw UsageError(fmt::format("{}: the PVH entry point {:#x} lies in none of its segments below 4 GiB",
                                 inputs.image.name, entry));
  }

  std::vector<File> modules;
  if (inputs.initrd) modules.push_back(*inputs.initrd);
  modules.insert(modules.end(), inputs.modules.begin(), inputs.modules.end());
  StartInfo info(inputs);
  info.set_memory_map(memory);
  info.set_modules(modules, plan);
  place_boot_info(info.bytes(), plan);

  plan.write_to(memory);
  return {.mode = CpuMode::protected32,
          .rip = entry,
          .rsp = memory_map::boot_stack_top.value,
          .rbx = memory_map::boot_info.value};
}

}  // namespace kvmbench::boot
