#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "symbols/symbol_table.hpp"

namespace kvmbench::symbols {
namespace {

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

/// Appends the functions of one section of symbols.
void append_functions(Elf* elf, Elf_Scn* section, const GElf_Shdr& header,
                      std::vector<SymbolTable::Symbol>& symbols) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return;
  const auto count = static_cast<int>(std::min<std::uint64_t>(data->d_size / header.sh_entsize, 10'000'000));
  for (int i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, i, &symbol) == nullptr) break;
    const unsigned type = GELF_ST_TYPE(symbol.st_info);
    // Assembly's labels have no type.
    const bool code = type == STT_FUNC || type == STT_NOTYPE;
    if (!code || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE) continue;
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name == nullptr || *name == '\0') continue;
    symbols.push_back({symbol.st_value, symbol.st_size, name});
  }
}

}  // namespace

SymbolTable elf_symbols(std::span<const std::byte> file, const std::string& name) {
  const auto refuse = [&name](const char* what) {
    throw UsageError(fmt::format("{}: {}; give the guest's ELF file or its System.map", name, what));
  };
  elf_version(EV_CURRENT);
  // libelf does not write to it: it is opened for reading.
  auto* bytes = const_cast<char*>(reinterpret_cast<const char*>(file.data()));
  const std::unique_ptr<Elf, EndElf> elf(elf_memory(bytes, file.size()));
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF) refuse("is no ELF file");
  std::vector<SymbolTable::Symbol> symbols;
  for (Elf_Scn* section = elf_nextscn(elf.get(), nullptr); section != nullptr;
       section = elf_nextscn(elf.get(), section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) refuse("its table of sections is broken");
    if (header.sh_type == SHT_SYMTAB) append_functions(elf.get(), section, header, symbols);
  }
  return SymbolTable(std::move(symbols));
}

}  // namespace kvmbench::symbols
