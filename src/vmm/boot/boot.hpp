/// Bringing an image into guest memory, by the protocol that its content asks for.
///
///   bzImage             Documentation/arch/x86/boot.rst, 64-bit boot protocol (2.12 or later)
///   ELF with PVH note   Xen's public/arch-x86/hvm/start_info.h (XEN_ELFNOTE_PHYS32_ENTRY)
///   multiboot           Multiboot Specification 0.6.96
///   other static ELF64  entered in long mode at its entry point
///   raw binary          only when asked for
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory/guest_memory.hpp"

namespace kvmbench::boot {

enum class CpuMode { real16, protected32, long64 };

/// What the first vCPU starts with. Segments are flat (real mode: base 0), interrupts are off; in long64,
/// paging is on with the identity map at memory_map::boot_page_tables. Registers not named are 0.
struct EntryState {
  CpuMode mode = CpuMode::long64;
  std::uint64_t rip = 0;
  std::uint64_t rsp = 0;
  std::uint64_t rax = 0;
  std::uint64_t rbx = 0;
  std::uint64_t rsi = 0;
};

enum class Protocol { linux64, pvh, multiboot, elf64, raw };
[[nodiscard]] std::string_view name_of(Protocol protocol);

/// A file given to the guest, whole and uncompressed or gzip-compressed; `name` is what messages call it.
struct File {
  std::string name;
  std::span<const std::byte> bytes;
};

struct RawOptions {
  CpuMode mode = CpuMode::long64;
  std::optional<std::uint64_t> load_address;  ///< default 0x7c00 in real16, else 1 MiB
  std::optional<std::uint64_t> entry;         ///< default the load address
};

struct Inputs {
  File image;
  std::optional<File> initrd;  ///< linux64 and pvh (as the first module)
  std::vector<File> modules;   ///< multiboot and pvh
  std::string command_line;
  std::optional<RawOptions> raw;
  Gpa rsdp;  ///< of the ACPI tables
};

struct Loaded {
  Protocol protocol;
  EntryState entry;
};

/// Into the memory of a new machine (what is not written is taken to be zero). Throws UsageError, naming the
/// file and what is wrong with it, before anything is written.
[[nodiscard]] Loaded load(const Inputs& inputs, GuestMemory& memory);

}  // namespace kvmbench::boot
