#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "symbols/symbol_table.hpp"

namespace kvmbench::symbols {

SymbolTable system_map_symbols(std::string_view text, const std::string& name) {
  std::vector<SymbolTable::Symbol> symbols;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);

    std::uint64_t address = 0;
    const auto [stopped, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    const std::string_view rest(stopped, static_cast<std::size_t>(line.data() + line.size() - stopped));
    const bool formed = error == std::errc{} && rest.size() > 3 && rest[0] == ' ' && rest[2] == ' ';
    if (!formed) {
      throw UsageError(fmt::format(
          "{}: line {} is not of the form 'ffffffff81000000 T _text'; give the guest's ELF file or its "
          "System.map",
          name, number));
    }
    const std::string_view code_types = "tTwW";
    if (code_types.find(rest[1]) != std::string_view::npos) {
      symbols.push_back({address, 0, std::string(rest.substr(3))});
    }
  }
  return SymbolTable(std::move(symbols));
}

}  // namespace kvmbench::symbols
