/// An executable ELF32 or ELF64 file for x86, checked whole (System V gABI, chapters 4 and 5; <elf.h>).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/boot/boot.hpp"
#include "vmm/boot/load_plan.hpp"

namespace kvmbench::boot {

[[nodiscard]] bool is_elf(std::span<const std::byte> bytes);

class ElfFile final {
 public:
  /// Throws UsageError, naming the file and what is wrong: a header or segment past the end of the file, a
  /// segment larger in the file than in memory, another machine or byte order, an object or core file, an
  /// interpreter.
  explicit ElfFile(const File& file);

  [[nodiscard]] bool is_64() const { return is_64_; }

  /// The descriptor of the first note of that name and type.
  [[nodiscard]] std::optional<std::span<const std::byte>> note(std::string_view name,
                                                               std::uint32_t type) const;

  /// Plans every segment at its physical address. A position-independent file (ET_DYN) that is linked below 1
  /// MiB is moved to 1 MiB, rounded up to its alignment; it relocates itself.
  void place(LoadPlan& plan) const;

  /// The physical address of the entry point, which must lie in a loaded segment: e_entry is taken for a
  /// virtual address, and where no executable segment has it, for a physical one (as in Linux's vmlinux).
  [[nodiscard]] std::uint64_t entry() const;

  /// Whether a segment is loaded over that physical address.
  [[nodiscard]] bool loads(std::uint64_t physical) const;

  /// The first address after all segments that start below 4 GiB.
  [[nodiscard]] std::uint64_t low_end() const;

 private:
  struct Segment {
    std::size_t index;
    std::uint64_t physical;
    std::uint64_t virtual_address;
    std::uint64_t memory_size;
    std::span<const std::byte> bytes;
    bool executable;
  };
  struct Notes {
    std::span<const std::byte> bytes;
    std::uint64_t alignment;
  };

  template <class Header, class ProgramHeader>
  void parse(std::span<const std::byte> bytes, unsigned machine);
  template <class ProgramHeader>
  void add(std::size_t index, const ProgramHeader& header, std::span<const std::byte> file);
  void move_above_bios();

  std::string name_;
  bool is_64_ = false;
  std::uint64_t entry_ = 0;
  std::uint64_t alignment_ = page_size;
  std::vector<Segment> segments_;
  std::vector<Notes> notes_;
};

}  // namespace kvmbench::boot
