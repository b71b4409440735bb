/// The boot protocols, one file each. Each throws UsageError before anything is written, or writes all and
/// returns what the first vCPU starts with. `inputs.image` is unpacked.
#pragma once

#include <optional>

#include "vmm/boot/boot.hpp"
#include "vmm/boot/elf_file.hpp"

namespace kvmbench::boot {

[[nodiscard]] bool is_bzimage(std::span<const std::byte> bytes);
[[nodiscard]] EntryState load_linux(const Inputs& inputs, GuestMemory& memory);

/// The physical address in the PVH entry note, if there is one.
[[nodiscard]] std::optional<std::uint64_t> pvh_entry(const ElfFile& elf);
[[nodiscard]] EntryState load_pvh(const Inputs& inputs, const ElfFile& elf, GuestMemory& memory);

/// The multiboot header's fields that the loader acts on; the addresses hold where bit 16 of the flags is
/// set.
struct MultibootHeader {
  std::uint32_t offset;  ///< in the file
  std::uint32_t flags;
  std::uint32_t header_addr = 0;
  std::uint32_t load_addr = 0;
  std::uint32_t load_end_addr = 0;
  std::uint32_t bss_end_addr = 0;
  std::uint32_t entry_addr = 0;

  [[nodiscard]] bool has_addresses() const { return (flags & 1 << 16) != 0; }
};
[[nodiscard]] std::optional<MultibootHeader> find_multiboot_header(std::span<const std::byte> bytes);
/// `elf` may be null where the header has addresses.
[[nodiscard]] EntryState load_multiboot(const Inputs& inputs, const MultibootHeader& header,
                                        const ElfFile* elf, GuestMemory& memory);

[[nodiscard]] EntryState load_elf64(const Inputs& inputs, const ElfFile& elf, GuestMemory& memory);
[[nodiscard]] EntryState load_raw(const Inputs& inputs, GuestMemory& memory);

}  // namespace kvmbench::boot
