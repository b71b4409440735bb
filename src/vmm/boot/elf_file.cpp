#include "vmm/boot/elf_file.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.hpp"
#include "memory/memory_map.hpp"

namespace kvmbench::boot {
namespace {

template <class T>
T at(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool holds(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

/// Rounds up to a power of two; all ones where that is past 2^64.
std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  const std::uint64_t rounded = (value + alignment - 1) & ~(alignment - 1);
  return rounded < value ? ~std::uint64_t{0} : rounded;
}

void check_type(const std::string& name, unsigned type) {
  switch (type) {
    case ET_EXEC:
    case ET_DYN:
      return;
    case ET_REL:
      throw UsageError(fmt::format("{}: is a relocatable ELF object; link it into an executable", name));
    case ET_CORE:
      throw UsageError(fmt::format("{}: is an ELF core dump, not an executable", name));
    default:
      throw UsageError(fmt::format("{}: has ELF type {}, not that of an executable", name, type));
  }
}

}  // namespace

bool is_elf(std::span<const std::byte> bytes) {
  return bytes.size() >= SELFMAG && std::memcmp(bytes.data(), ELFMAG, SELFMAG) == 0;
}

ElfFile::ElfFile(const File& file) : name_(file.name) {
  if (file.bytes.size() < EI_NIDENT)
    throw UsageError(fmt::format("{}: is cut off within its ELF header", name_));
  const auto ident = [&](std::size_t i) { return std::to_integer<unsigned>(file.bytes[i]); };
  if (ident(EI_DATA) != ELFDATA2LSB) {
    throw UsageError(fmt::format("{}: is not a little-endian ELF file (EI_DATA {})", name_, ident(EI_DATA)));
  }
  if (ident(EI_VERSION) != EV_CURRENT) {
    throw UsageError(fmt::format("{}: has ELF version {}, only 1 is defined", name_, ident(EI_VERSION)));
  }
  switch (ident(EI_CLASS)) {
    case ELFCLASS32:
      parse<Elf32_Ehdr, Elf32_Phdr>(file.bytes, EM_386);
      break;
    case ELFCLASS64:
      is_64_ = true;
      parse<Elf64_Ehdr, Elf64_Phdr>(file.bytes, EM_X86_64);
      break;
    default:
      throw UsageError(fmt::format("{}: is neither ELF32 nor ELF64 (EI_CLASS {})", name_, ident(EI_CLASS)));
  }
}

template <class Header, class ProgramHeader>
void ElfFile::parse(std::span<const std::byte> bytes, unsigned machine) {
  if (bytes.size() < sizeof(Header)) {
    throw UsageError(fmt::format("{}: is cut off within its ELF header", name_));
  }
  const auto header = at<Header>(bytes, 0);
  check_type(name_, header.e_type);
  if (header.e_machine != machine) {
    throw UsageError(fmt::format("{}: is an {} for machine {}, not for x86 ({})", name_,
                                 is_64_ ? "ELF64" : "ELF32", header.e_machine, machine));
  }
  if (header.e_phentsize != sizeof(ProgramHeader)) {
    throw UsageError(fmt::format("{}: has program headers of {} bytes, not of {}", name_, header.e_phentsize,
                                 sizeof(ProgramHeader)));
  }
  if (!holds(bytes, header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(ProgramHeader))) {
    throw UsageError(
        fmt::format("{}: {} program headers at offset {:#x} reach past the end of the file ({} bytes)", name_,
                    header.e_phnum, header.e_phoff, bytes.size()));
  }
  entry_ = header.e_entry;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    add(i, at<ProgramHeader>(bytes, header.e_phoff + i * sizeof(ProgramHeader)), bytes);
  }
  if (segments_.empty()) throw UsageError(fmt::format("{}: has no segment to load", name_));
  if (header.e_type == ET_DYN) move_above_bios();
}

template <class ProgramHeader>
void ElfFile::add(std::size_t index, const ProgramHeader& header, std::span<const std::byte> file) {
  if (header.p_type == PT_INTERP) {
    throw UsageError(fmt::format(
        "{}: asks for a dynamic loader (PT_INTERP), which no machine has; link it with -static", name_));
  }
  if (header.p_type != PT_LOAD && header.p_type != PT_NOTE) return;
  if (!holds(file, header.p_offset, header.p_filesz)) {
    throw UsageError(
        fmt::format("{}: segment {} ({:#x} bytes at offset {:#x}) reaches past the end of the file"
                    " ({} bytes)",
                    name_, index, header.p_filesz, header.p_offset, file.size()));
  }
  const auto bytes = file.subspan(header.p_offset, header.p_filesz);
  if (header.p_type == PT_NOTE) {
    notes_.push_back({bytes, header.p_align == 8 ? 8U : 4U});
    return;
  }
  if (header.p_filesz > header.p_memsz) {
    throw UsageError(fmt::format("{}: segment {} has {:#x} bytes in the file but {:#x} in memory", name_,
                                 index, header.p_filesz, header.p_memsz));
  }
  if (header.p_memsz == 0) return;
  if (std::has_single_bit(header.p_align)) alignment_ = std::max<std::uint64_t>(alignment_, header.p_align);
  segments_.push_back(
      {index, header.p_paddr, header.p_vaddr, header.p_memsz, bytes, (header.p_flags & PF_X) != 0});
}

void ElfFile::move_above_bios() {
  const auto lowest =
      std::min_element(segments_.begin(), segments_.end(), [](const Segment& a, const Segment& b) {
        return a.physical < b.physical;
      })->physical;
  if (lowest >= memory_map::bios_area_end.value) return;
  const std::uint64_t bias = align_up(memory_map::bios_area_end.value, alignment_);
  for (Segment& segment : segments_) {
    segment.physical += bias;
    segment.virtual_address += bias;
  }
  entry_ += bias;
}

std::optional<std::span<const std::byte>> ElfFile::note(std::string_view name, std::uint32_t type) const {
  for (const Notes& notes : notes_) {
    std::uint64_t offset = 0;
    while (holds(notes.bytes, offset, sizeof(Elf64_Nhdr))) {
      const auto header = at<Elf64_Nhdr>(notes.bytes, offset);  // the same in ELF32
      const std::uint64_t name_at = offset + sizeof header;
      const std::uint64_t descriptor_at = align_up(name_at + header.n_namesz, notes.alignment);
      if (!holds(notes.bytes, descriptor_at, header.n_descsz)) break;
      const std::string_view found(reinterpret_cast<const char*>(notes.bytes.data() + name_at),
                                   header.n_namesz);
      if (header.n_type == type && found == std::string(name) + '\0') {
        return notes.bytes.subspan(descriptor_at, header.n_descsz);
      }
      offset = align_up(descriptor_at + header.n_descsz, notes.alignment);
    }
  }
  return std::nullopt;
}

void ElfFile::place(LoadPlan& plan) const {
  for (const Segment& segment : segments_) {
    plan.place(fmt::format("{}: segment {}", name_, segment.index), Gpa{segment.physical},
               segment.memory_size, segment.bytes);
  }
}

std::uint64_t ElfFile::entry() const {
  for (const Segment& segment : segments_) {
    if (segment.executable && entry_ - segment.virtual_address < segment.memory_size) {
      return segment.physical + (entry_ - segment.virtual_address);
    }
  }
  if (loads(entry_)) return entry_;
  throw UsageError(fmt::format("{}: its entry point {:#x} lies in none of its segments", name_, entry_));
}

bool ElfFile::loads(std::uint64_t physical) const {
  return std::any_of(segments_.begin(), segments_.end(), [&](const Segment& segment) {
    return physical - segment.physical < segment.memory_size;  // wraps to a large number below the segment
  });
}

std::uint64_t ElfFile::low_end() const {
  std::uint64_t end = 0;
  for (const Segment& segment : segments_) {
    if (segment.physical < high_ram_start) end = std::max(end, segment.physical + segment.memory_size);
  }
  return end;
}

}  // namespace kvmbench::boot
