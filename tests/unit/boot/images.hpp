/// Small images of every kind, built byte by byte, so that a test can say exactly what is in them or wrong
/// with them.
#pragma once

#include <asm/bootparam.h>
#include <elf.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "memory/guest_memory.hpp"
#include "vmm/boot/boot.hpp"

namespace kvmbench::boot::test {

using Bytes = std::vector<std::byte>;

inline constexpr std::uint64_t kib = 1024;
inline constexpr std::uint64_t mib = 1024 * kib;
inline constexpr std::uint64_t gib = 1024 * mib;

[[nodiscard]] Bytes filled(std::size_t size, unsigned value);
[[nodiscard]] Bytes text(std::string_view characters);
[[nodiscard]] Bytes gzipped(const Bytes& bytes);

template <class T>
void put(Bytes& bytes, std::size_t offset, const T& value) {
  if (bytes.size() < offset + sizeof value) bytes.resize(offset + sizeof value);
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}
inline void put_bytes(Bytes& bytes, std::size_t offset, const Bytes& value) {
  if (bytes.size() < offset + value.size()) bytes.resize(offset + value.size());
  std::memcpy(bytes.data() + offset, value.data(), value.size());
}

/// The C string at a guest-physical address.
[[nodiscard]] std::string string_at(const GuestMemory& memory, std::uint64_t address);
/// `count` bytes at a guest-physical address.
[[nodiscard]] Bytes bytes_at(const GuestMemory& memory, std::uint64_t address, std::size_t count);

[[nodiscard]] inline Inputs image_named(std::string name, const Bytes& bytes) {
  Inputs inputs;
  inputs.image = {std::move(name), bytes};
  return inputs;
}

/// Loading fails with a UsageError whose message begins with "image: " and has `part` in it, and writes
/// nothing.
void check_refused(const Inputs& inputs, std::string_view part, std::uint64_t memory_size = 16 * mib);

/// The same for an image alone, which is called "image".
inline void check_image_refused(const Bytes& image, std::string_view part,
                                std::uint64_t memory_size = 16 * mib) {
  check_refused(image_named("image", image), part, memory_size);
}

/// A Linux bzImage: one setup sector after the boot sector, and `code` as the protected-mode part.
/// Version 2.15, relocatable, 2 MiB alignment, preferred address 16 MiB, init_size 1 MiB.
struct BzImage {
  BzImage();
  [[nodiscard]] Bytes bytes() const;

  setup_header header{};
  Bytes code = filled(8192, 0xcc);
};

/// An ELF file of one class. Contents of segments follow the program headers, in order.
template <class Header, class ProgramHeader, unsigned char elf_class, std::uint16_t machine>
struct Elf {
  Elf() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = elf_class;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Header);
    header.e_ehsize = sizeof(Header);
    header.e_phentsize = sizeof(ProgramHeader);
  }

  /// A segment at physical = virtual address `at`, in memory `extra` bytes larger than its content.
  ProgramHeader& add(std::uint64_t at, const Bytes& content, std::uint64_t extra = 0) {
    ProgramHeader segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_W | PF_X;
    segment.p_vaddr = segment.p_paddr = static_cast<decltype(segment.p_paddr)>(at);
    segment.p_filesz = static_cast<decltype(segment.p_filesz)>(content.size());
    segment.p_memsz = static_cast<decltype(segment.p_memsz)>(content.size() + extra);
    segment.p_align = 4096;
    contents.push_back(content);
    return segments.emplace_back(segment);
  }

  ProgramHeader& add_note(const std::string& name, std::uint32_t type, const Bytes& descriptor) {
    Bytes note;
    put(note, 0, static_cast<std::uint32_t>(name.size() + 1));
    put(note, 4, static_cast<std::uint32_t>(descriptor.size()));
    put(note, 8, type);
    put_bytes(note, 12, text(name));
    note.resize((12 + name.size() + 1 + 3) / 4 * 4);
    put_bytes(note, note.size(), descriptor);
    ProgramHeader& segment = add(0, note);
    segment.p_type = PT_NOTE;
    segment.p_align = 4;
    return segment;
  }

  [[nodiscard]] Bytes bytes() const {
    Header complete = header;
    complete.e_phnum = static_cast<std::uint16_t>(segments.size());
    Bytes file;
    put(file, 0, complete);
    std::size_t content_at = sizeof(Header) + segments.size() * sizeof(ProgramHeader);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      ProgramHeader segment = segments[i];
      segment.p_offset = static_cast<decltype(segment.p_offset)>(segment.p_offset + content_at);
      put(file, sizeof(Header) + i * sizeof(ProgramHeader), segment);
      put_bytes(file, content_at, contents[i]);
      content_at += contents[i].size();
    }
    return file;
  }

  Header header{};
  std::vector<ProgramHeader> segments;  // p_offset is relative to where the content goes
  std::vector<Bytes> contents;
};
using Elf32 = Elf<Elf32_Ehdr, Elf32_Phdr, ELFCLASS32, EM_386>;
using Elf64 = Elf<Elf64_Ehdr, Elf64_Phdr, ELFCLASS64, EM_X86_64>;

/// One 8 KiB segment at 1 MiB, full of 0x90, entered at its beginning.
template <class AnyElf>
[[nodiscard]] AnyElf plain_elf() {
  AnyElf elf;
  elf.add(mib, filled(8192, 0x90));
  elf.header.e_entry = mib;
  return elf;
}

}  // namespace kvmbench::boot::test
