#include "symbols/symbol_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kvmbench::symbols {

SymbolTable::SymbolTable(std::vector<Symbol> symbols) : symbols_(std::move(symbols)) {
  std::stable_sort(symbols_.begin(), symbols_.end(),
                   [](const Symbol& left, const Symbol& right) { return left.address < right.address; });
  const auto same_place = [](const Symbol& left, const Symbol& right) {
    return left.address == right.address;
  };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same_place), symbols_.end());
}

std::string SymbolTable::name_of(std::uint64_t address) const {
  const auto after =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](std::uint64_t sought, const Symbol& symbol) { return sought < symbol.address; });
  if (after == symbols_.begin()) return {};
  const Symbol& symbol = *std::prev(after);
  const std::uint64_t offset = address - symbol.address;
  // What follows the last symbol, of a size that nobody knows, is nobody's.
  if (symbol.size == 0 ? after == symbols_.end() && offset != 0 : offset > symbol.size) return {};
  return offset == 0 ? symbol.name : fmt::format("{}+{:#x}", symbol.name, offset);
}

}  // namespace kvmbench::symbols
