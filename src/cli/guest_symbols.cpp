#include "cli/guest_symbols.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/boot_files.hpp"
#include "cli/input_file.hpp"

namespace kvmbench::cli {
namespace {

bool is_elf(std::span<const std::byte> file) {
  constexpr std::array magic{std::byte{0x7f}, std::byte{'E'}, std::byte{'L'}, std::byte{'F'}};
  return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin());
}

symbols::SymbolTable read_symbols(std::span<const std::byte> file, const std::string& name) {
  if (is_elf(file)) return symbols::elf_symbols(file, name);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  return symbols::system_map_symbols(text, name);
}

}  // namespace

symbols::SymbolTable guest_symbols(const RunOptions& options) {
  if (!options.rip) return {};
  if (options.symbols) return read_symbols(InputFile(*options.symbols).bytes(), *options.symbols);
  if (options.image.starts_with('@')) {
    return symbols::elf_symbols(built_in_image(std::string_view(options.image).substr(1)), options.image);
  }
  const InputFile image(options.image);
  return is_elf(image.bytes()) ? symbols::elf_symbols(image.bytes(), options.image) : symbols::SymbolTable();
}

}  // namespace kvmbench::cli
