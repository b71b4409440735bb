#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "symbols/symbol_table.hpp"

namespace kvmbench::symbols {
namespace {

TEST_CASE("a System.map's code is known, its data is not") {
  const SymbolTable table = system_map_symbols(
      "0000000000000000 D __per_cpu_start\n"
      "ffffffff81000000 T startup_64\n"
      "ffffffff81000100 t verify_cpu\n"
      "ffffffff81000200 W weak_one\n"
      "ffffffff82000000 R rodata\n",
      "System.map");
  CHECK(table.name_of(0xffffffff81000080) == "startup_64+0x80");
  CHECK(table.name_of(0xffffffff81000100) == "verify_cpu");
  CHECK(table.name_of(0xffffffff81000200) == "weak_one");
  CHECK(table.name_of(0xffffffff82000000).empty());
  CHECK(table.name_of(0).empty());
}

TEST_CASE("an empty System.map has no symbols") {
  CHECK(system_map_symbols("", "System.map").empty());
}

TEST_CASE("a line that is no symbol is refused by its number") {
  for (const char* line : {"hello", "ffffffff81000000", "ffffffff81000000 T", "ffffffff81000000 T ",
                           "xyz T a", "ffffffff81000000\tT\ta", "fffffffffffffffff T a"}) {
    INFO(line);
    const std::string text = std::string("ffffffff81000000 T startup_64\n") + line + "\n";
    CHECK_THROWS_WITH(system_map_symbols(text, "a.map"),
                      Catch::StartsWith("a.map: line 2 is not of the form"));
  }
}

}  // namespace
}  // namespace kvmbench::symbols
