/// The Multiboot Specification 0.6.96: header 3.1, machine state 3.2, boot information 3.3.
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

constexpr std::uint32_t header_magic = 0x1bad'b002;
constexpr std::uint32_t bootloader_magic = 0x2bad'b002;
constexpr std::size_t search_end = 8192;

// Bits 0 to 15 of the header's flags are demands; one that the loader does not know it must refuse (3.1.1).
// Modules are page-aligned and memory information is given in any case; a video mode is a wish, which nothing
// here can grant.
constexpr std::uint32_t known_demands = 0x7;
constexpr std::uint32_t demands = 0xffff;

constexpr std::uint32_t info_memory = 1 << 0;
constexpr std::uint32_t info_cmdline = 1 << 2;
constexpr std::uint32_t info_mods = 1 << 3;
constexpr std::uint32_t info_mmap = 1 << 6;
constexpr std::uint32_t info_boot_loader_name = 1 << 9;

struct multiboot_info {
  std::uint32_t flags = info_memory | info_cmdline | info_mods | info_mmap | info_boot_loader_name;
  std::uint32_t mem_lower = 0;  // KiB from 0
  std::uint32_t mem_upper = 0;  // KiB from 1 MiB
  std::uint32_t boot_device = 0;
  std::uint32_t cmdline = 0;
  std::uint32_t mods_count = 0;
  std::uint32_t mods_addr = 0;
  std::uint32_t syms[4] = {};
  std::uint32_t mmap_length = 0;
  std::uint32_t mmap_addr = 0;
  std::uint32_t drives_length = 0;
  std::uint32_t drives_addr = 0;
  std::uint32_t config_table = 0;
  std::uint32_t boot_loader_name = 0;
  std::uint32_t apm_table = 0;
  std::uint32_t vbe[4] = {};
  std::uint32_t framebuffer[7] = {};
};
static_assert(offsetof(multiboot_info, boot_loader_name) == 64 && sizeof(multiboot_info) == 116);

struct multiboot_module {
  std::uint32_t mod_start = 0;
  std::uint32_t mod_end = 0;  // the first byte after it
  std::uint32_t string = 0;
  std::uint32_t reserved = 0;
};

struct [[gnu::packed]] multiboot_mmap_entry {
  std::uint32_t size = 20;  // of what follows it
  std::uint64_t base_addr = 0;
  std::uint64_t length = 0;
  std::uint32_t type = 0;  // numbered as in e820
};
static_assert(sizeof(multiboot_mmap_entry) == 24);

/// The boot information with its tables and strings behind it.
class Information final {
 public:
  template <class T>
  std::uint32_t append(const T& value) {
    const std::uint32_t at = end();
    const auto bytes = bytes_of(value);
    tables_.insert(tables_.end(), bytes.begin(), bytes.end());
    return at;
  }

  std::uint32_t append_string(std::string_view text) {
    const std::uint32_t at = end();
    for (const char c : text) append(c);
    append('\0');
    return at;
  }

  void align() { tables_.resize((tables_.size() + 7) & ~std::size_t{7}); }

  [[nodiscard]] std::uint32_t end() const {
    return static_cast<std::uint32_t>(memory_map::boot_info.value + sizeof(multiboot_info) + tables_.size());
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::vector<std::byte> all = bytes_of(info);
    all.insert(all.end(), tables_.begin(), tables_.end());
    return all;
  }

  multiboot_info info;

 private:
  std::vector<std::byte> tables_;
};

void describe_memory(const GuestMemory& memory, Information& information) {
  constexpr std::uint64_t kib = 1024;
  const std::uint64_t low_end = memory.regions().front().bytes.size();
  information.info.mem_lower = static_cast<std::uint32_t>(memory_map::ebda.value / kib);
  information.info.mem_upper = static_cast<std::uint32_t>((low_end - memory_map::bios_area_end.value) / kib);
  information.info.mmap_addr = information.end();
  for (const MemoryRange& range : memory_ranges(memory)) {
    information.append(multiboot_mmap_entry{.base_addr = range.start.value,
                                            .length = range.size,
                                            .type = static_cast<std::uint32_t>(range.type)});
  }
  information.info.mmap_length = information.end() - information.info.mmap_addr;
}

/// Modules follow the image, as other loaders have it: an image that maps only its own surroundings still
/// sees them.
void place_modules(const std::vector<File>& modules, std::uint64_t image_end, LoadPlan& plan,
                   Information& information) {
  std::vector<multiboot_module> list;
  std::uint64_t from = image_end;
  for (const File& module : modules) {
    const auto at = plan.lowest_free(std::max<std::uint64_t>(module.bytes.size(), 1), from);
    if (!at) {
      throw UsageError(
          fmt::format("{}: the module of {} bytes does not fit into guest memory after the image; give "
                      "the guest more (--mem)",
                      module.name, module.bytes.size()));
    }
    from = at->value + module.bytes.size();
    plan.place(module.name, *at, module.bytes.size(), module.bytes);
    list.push_back({.mod_start = static_cast<std::uint32_t>(at->value),
                    .mod_end = static_cast<std::uint32_t>(from),
                    .string = information.append_string(module.name)});
  }
  information.align();
  information.info.mods_addr = information.end();
  information.info.mods_count = static_cast<std::uint32_t>(list.size());
  for (const multiboot_module& entry : list) information.append(entry);
}

/// The image's name, which is one word even where it has blanks, then the arguments.
std::string full_command_line(const Inputs& inputs) {
  std::string line = inputs.image.name;
  std::replace(line.begin(), line.end(), ' ', '_');
  return inputs.command_line.empty() ? line : line + ' ' + inputs.command_line;
}

struct Placed {
  std::uint64_t entry;
  std::uint64_t end;
};

Placed place_by_addresses(const File& image, const MultibootHeader& header, LoadPlan& plan) {
  const auto bad = [&](const std::string& what) {
    return UsageError(fmt::format("{}: its multiboot header {}", image.name, what));
  };
  if (header.load_addr > header.header_addr || header.header_addr - header.load_addr > header.offset) {
    throw bad(fmt::format(
        "has load_addr {:#x} and header_addr {:#x}, which puts the load before the file's beginning",
        header.load_addr, header.header_addr));
  }
  const auto bytes = image.bytes.subspan(header.offset - (header.header_addr - header.load_addr));
  std::uint64_t load_end = header.load_end_addr;
  if (load_end == 0) load_end = header.load_addr + std::uint64_t{bytes.size()};
  if (load_end < header.load_addr || load_end - header.load_addr > bytes.size()) {
    throw bad(fmt::format("has load_end_addr {:#x}, which is past the end of the file", load_end));
  }
  const std::uint64_t end = header.bss_end_addr == 0 ? load_end : header.bss_end_addr;
  if (end < load_end)
    throw bad(fmt::format("has bss_end_addr {:#x} before load_end_addr {:#x}", end, load_end));
  if (header.entry_addr < header.load_addr || header.entry_addr >= end) {
    throw bad(fmt::format("has entry_addr {:#x} outside of what it loads", header.entry_addr));
  }
  plan.place(image.name, Gpa{header.load_addr}, end - header.load_addr,
             bytes.first(load_end - header.load_addr));
  return {header.entry_addr, end};
}

Placed place_elf(const ElfFile& elf, const std::string& name, LoadPlan& plan) {
  elf.place(plan);
  const std::uint64_t entry = elf.entry();
  if (entry >= high_ram_start) {
    throw UsageError(
        fmt::format("{}: its entry point {:#x} is not below 4 GiB, as multiboot needs", name, entry));
  }
  return {entry, elf.low_end()};
}

}  // namespace

std::optional<MultibootHeader> find_multiboot_header(std::span<const std::byte> bytes) {
  const auto searched = bytes.first(std::min(bytes.size(), search_end));
  for (std::uint32_t offset = 0; offset + 12 <= searched.size(); offset += 4) {
    std::uint32_t field[8] = {};  // magic, flags, checksum, then the addresses
    std::memcpy(field, searched.data() + offset, 12);
    if (field[0] != header_magic || field[0] + field[1] + field[2] != 0) continue;
    MultibootHeader header{.offset = offset, .flags = field[1]};
    if (header.has_addresses()) {
      if (offset + sizeof field > searched.size()) continue;
      std::memcpy(field, searched.data() + offset, sizeof field);
      header.header_addr = field[3];
      header.load_addr = field[4];
      header.load_end_addr = field[5];
      header.bss_end_addr = field[6];
      header.entry_addr = field[7];
    }
    return header;
  }
  return std::nullopt;
}

EntryState load_multiboot(const Inputs& inputs, const MultibootHeader& header, const ElfFile* elf,
                          GuestMemory& memory) {
  refuse_initrd(inputs, Protocol::multiboot);
  if (const std::uint32_t unknown = header.flags & demands & ~known_demands) {
    throw UsageError(fmt::format("{}: its multiboot header demands features that are not known (flags {:#x})",
                                 inputs.image.name, unknown));
  }
  LoadPlan plan(memory);
  place_environment(CpuMode::protected32, plan);
  place_command_line(full_command_line(inputs), memory_map::boot_command_line_max, plan);
  const Placed image = header.has_addresses() ? place_by_addresses(inputs.image, header, plan)
                                              : place_elf(*elf, inputs.image.name, plan);
  Information information;
  describe_memory(memory, information);
  place_modules(inputs.modules, image.end, plan, information);
  information.info.cmdline = static_cast<std::uint32_t>(memory_map::boot_command_line.value);
  information.info.boot_loader_name = information.append_string("kvmbench");
  place_boot_info(information.bytes(), plan);

  plan.write_to(memory);
  return {.mode = CpuMode::protected32,
          .rip = image.entry,
          .rsp = memory_map::boot_stack_top.value,
          .rax = bootloader_magic,
          .rbx = memory_map::boot_info.value};
}

}  // namespace kvmbench::boot
