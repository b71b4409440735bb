/// From an address in the guest to the function that is there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kvmbench::symbols {

class SymbolTable final {
 public:
  struct Symbol {
    std::uint64_t address = 0;
    std::uint64_t size = 0;  ///< bytes; 0 where it is not known: it then reaches to the next symbol
    std::string name;
  };

  SymbolTable() = default;
  /// In any order. Of several at one address the first is taken.
  explicit SymbolTable(std::vector<Symbol> symbols);

  [[nodiscard]] bool empty() const noexcept { return symbols_.empty(); }
  /// "print_char+0x12", "print_char" at its very beginning; "" where no symbol reaches to.
  [[nodiscard]] std::string name_of(std::uint64_t address) const;

 private:
  std::vector<Symbol> symbols_;  // ascending by address
};

/// Functions of an ELF file's symbol table (.symtab); none where it has no such table. Throws UsageError,
/// naming `name`, where it is no ELF file or a broken one.
[[nodiscard]] SymbolTable elf_symbols(std::span<const std::byte> file, const std::string& name);

/// Symbols of type t, T, w or W from a System.map, as nm(1) and the Linux kernel's build write it:
/// "ffffffff81000000 T _text". Throws UsageError, naming `name` and the line, for anything else.
[[nodiscard]] SymbolTable system_map_symbols(std::string_view text, const std::string& name);

}  // namespace kvmbench::symbols
