#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/error.hpp"
#include "symbols/symbol_table.hpp"

extern "C" __attribute__((noinline)) int a_function_with_a_name(int number) {
  return number + 1;
}

namespace kvmbench::symbols {
namespace {

/// This very program.
std::vector<std::byte> own_file() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> copy(bytes.size());
  std::transform(bytes.begin(), bytes.end(), copy.begin(), [](char byte) { return std::byte(byte); });
  return copy;
}

TEST_CASE("an ELF file's functions are known by name") {
  const SymbolTable table = elf_symbols(own_file(), "own");
  const auto address = reinterpret_cast<std::uint64_t>(&a_function_with_a_name);
  CHECK(table.name_of(address) == "a_function_with_a_name");
  CHECK(table.name_of(address + 1) == "a_function_with_a_name+0x1");
}

TEST_CASE("what is no ELF file is refused") {
  for (const std::size_t size : {0u, 3u, 100u}) {
    CHECK_THROWS_AS(elf_symbols(std::vector<std::byte>(size), "zeros"), UsageError);
  }
}

TEST_CASE("an ELF file cut anywhere is refused or has fewer symbols, and does no harm") {
  const std::vector<std::byte> whole = own_file();
  for (std::size_t size = 4; size < whole.size(); size = size * 3 / 2) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    try {
      static_cast<void>(elf_symbols(cut, "cut").name_of(0));
    } catch (const UsageError&) {
    }
  }
}

}  // namespace
}  // namespace kvmbench::symbols
