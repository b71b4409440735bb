/// The Linux 64-bit boot protocol, version 2.12 and later: Documentation/arch/x86/boot.rst, "64-bit Boot
/// Protocol".
#include <asm/bootparam.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
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

constexpr std::size_t header_start = offsetof(boot_params, hdr);                    // 0x1f1
constexpr std::size_t header_limit = offsetof(boot_params, edd_mbr_sig_buffer);     // 0x290
constexpr std::size_t header_base = header_start + offsetof(setup_header, header);  // 0x202
constexpr std::size_t length_at =
    0x201;  // the second byte of the jump: how far the header reaches past 0x202
constexpr std::uint32_t header_magic = 0x5372'6448;  // "HdrS"
constexpr std::uint16_t boot_flag_magic = 0xaa55;
constexpr std::uint16_t first_version = 0x020c;
constexpr std::size_t sector = 512;
constexpr std::uint8_t default_setup_sects = 4;  // what 0 stands for
constexpr std::uint8_t undefined_loader = 0xff;
constexpr std::uint64_t entry_offset = 0x200;  // of the 64-bit entry point
constexpr std::uint64_t high_load_address = 0x10'0000;

struct Kernel {
  setup_header header{};
  std::span<const std::byte> raw_header;  // from header_start on, as long as the kernel says that it is
  std::span<const std::byte> code;        // the protected-mode part
};

void check_header(const std::string& name, const setup_header& header) {
  if (header.boot_flag != boot_flag_magic) {
    throw UsageError(
        fmt::format("{}: has boot flag {:#06x} in its setup header, not 0xaa55; the file is damaged", name,
                    std::uint16_t{header.boot_flag}));
  }
  if (header.version < first_version) {
    throw UsageError(
        fmt::format("{}: has Linux boot protocol {}.{:02}; the 64-bit entry needs 2.12 (Linux 3.8)", name,
                    header.version >> 8, header.version & 0xff));
  }
  if (!(header.xloadflags & XLF_KERNEL_64)) {
    throw UsageError(
        fmt::format("{}: has no 64-bit entry point (XLF_KERNEL_64); it is a 32-bit kernel", name));
  }
  if (!(header.loadflags & LOADED_HIGH)) {
    throw UsageError(
        fmt::format("{}: is a zImage that loads below 1 MiB; only a bzImage can be booted", name));
  }
  if (header.relocatable_kernel && !std::has_single_bit(std::uint32_t{header.kernel_alignment})) {
    throw UsageError(
        fmt::format("{}: has kernel_alignment {:#x}, which is no power of two; the file is damaged", name,
                    std::uint32_t{header.kernel_alignment}));
  }
}

Kernel parse(const File& image) {
  const auto bytes = image.bytes;
  const auto cut_off = [&](std::uint64_t needed) {
    return UsageError(
        fmt::format("{}: is a Linux kernel cut off after {} bytes; its header promises at least {}",
                    image.name, bytes.size(), needed));
  };
  Kernel kernel;
  setup_header& header = kernel.header;
  constexpr std::size_t known_end = header_start + sizeof header;
  if (bytes.size() < known_end) throw cut_off(known_end);
  std::memcpy(&header, bytes.data() + header_start, sizeof header);
  check_header(image.name, header);

  const std::size_t header_end = header_base + std::to_integer<std::size_t>(bytes[length_at]);
  if (header_end < header_start + offsetof(setup_header, kernel_info_offset)) {
    throw UsageError(fmt::format(
        "{}: has a setup header of {} bytes, too short for its version {}.{:02}; the file is damaged",
        image.name, header_end - header_start, header.version >> 8, header.version & 0xff));
  }
  const std::uint64_t setup_size =
      (std::uint64_t{header.setup_sects ? header.setup_sects : default_setup_sects} + 1) * sector;
  const std::uint64_t code_size = std::uint64_t{header.syssize} * 16;
  if (bytes.size() <= setup_size || bytes.size() < header_end)
    throw cut_off(std::max(setup_size, header_end) + 1);
  kernel.raw_header = bytes.subspan(header_start, std::min(header_end, header_limit) - header_start);
  kernel.code = bytes.subspan(setup_size);
  // syssize counts paragraphs of 16 bytes; the last need not be full.
  if (kernel.code.size() + 15 < code_size) throw cut_off(setup_size + code_size);
  const std::uint64_t payload_end = std::uint64_t{header.payload_offset} + header.payload_length;
  if (payload_end > kernel.code.size()) throw cut_off(setup_size + payload_end);
  if (kernel.code.size() <= entry_offset) throw cut_off(setup_size + entry_offset + 1);
  return kernel;
}

/// A relocatable kernel runs where it is loaded, but never below pref_address; another is loaded at 1 MiB and
/// moves itself to pref_address. From where it runs on, it needs init_size bytes (boot.rst, "init_size").
Gpa place_kernel(const std::string& name, const Kernel& kernel, LoadPlan& plan) {
  const setup_header& header = kernel.header;
  const std::uint64_t preferred = std::max<std::uint64_t>(header.pref_address, high_load_address);
  std::uint64_t start = high_load_address;
  std::uint64_t runs_at = preferred;
  if (header.relocatable_kernel && preferred < high_ram_start) {
    const std::uint64_t alignment = header.kernel_alignment;
    start = runs_at = (preferred + alignment - 1) & ~(alignment - 1);
  }
  if (runs_at >= high_ram_start) {
    throw UsageError(
        fmt::format("{}: wants to run at {:#x} (pref_address {:#x}), above 4 GiB; the file is damaged", name,
                    runs_at, std::uint64_t{header.pref_address}));
  }
  const std::uint64_t end = std::max(runs_at + header.init_size, start + kernel.code.size());
  plan.place(fmt::format("{}: the kernel", name), Gpa{start}, end - start, kernel.code);
  return Gpa{start};
}

void fill_e820(const GuestMemory& memory, boot_params& zero_page) {
  for (const MemoryRange& range : memory_ranges(memory)) {
    boot_e820_entry& entry = zero_page.e820_table[zero_page.e820_entries++];
    entry.addr = range.start.value;
    entry.size = range.size;
    entry.type = static_cast<std::uint32_t>(range.type);
  }
}

}  // namespace

bool is_bzimage(std::span<const std::byte> bytes) {
  return bytes.size() >= header_base + sizeof header_magic &&
         std::memcmp(bytes.data() + header_base, &header_magic, sizeof header_magic) == 0;
}

EntryState load_linux(const Inputs& inputs, GuestMemory& memory) {
  refuse_modules(inputs, Protocol::linux64);
  const Kernel kernel = parse(inputs.image);
  LoadPlan plan(memory);
  place_environment(CpuMode::long64, plan);
  place_command_line(inputs.command_line, kernel.header.cmdline_size, plan);
  const Gpa start = place_kernel(inputs.image.name, kernel, plan);

  boot_params zero_page{};
  std::memcpy(reinterpret_cast<std::byte*>(&zero_page) + header_start, kernel.raw_header.data(),
              kernel.raw_header.size());
  setup_header& header = zero_page.hdr;
  header.type_of_loader = undefined_loader;
  header.code32_start = static_cast<std::uint32_t>(start.value);
  header.cmd_line_ptr = static_cast<std::uint32_t>(memory_map::boot_command_line.value);
  header.ramdisk_image = 0;
  header.ramdisk_size = 0;
  header.setup_data = 0;
  if (inputs.initrd) {
    const std::uint64_t limit = std::uint64_t{kernel.header.initrd_addr_max} + 1;
    header.ramdisk_image = static_cast<std::uint32_t>(place_high(*inputs.initrd, limit, plan).value);
    header.ramdisk_size = static_cast<std::uint32_t>(inputs.initrd->bytes.size());
  }
  zero_page.acpi_rsdp_addr = inputs.rsdp.value;
  fill_e820(memory, zero_page);
  place_boot_info(bytes_of(zero_page), plan);

  plan.write_to(memory);
  return {.mode = CpuMode::long64,
          .rip = start.value + entry_offset,
          .rsp = memory_map::boot_stack_top.value,
          .rsi = memory_map::boot_info.value};
}

}  // namespace kvmbench::boot
