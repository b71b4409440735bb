#include "symbols/symbol_table.hpp"

#include <catch2/catch.hpp>

namespace kvmbench::symbols {
namespace {

TEST_CASE("an address is named by the symbol it is in, and how far") {
  const SymbolTable table({{0x2000, 0x10, "second"}, {0x1000, 0x100, "first"}});
  CHECK(table.name_of(0x1000) == "first");
  CHECK(table.name_of(0x10ff) == "first+0xff");
  CHECK(table.name_of(0x2003) == "second+0x3");
}

TEST_CASE("an address right after a symbol is still its own: an exit may be that of its last instruction") {
  CHECK(SymbolTable({{0x1000, 0x100, "first"}}).name_of(0x1100) == "first+0x100");
}

TEST_CASE("what lies in no symbol has no name") {
  const SymbolTable table({{0x1000, 0x100, "first"}});
  CHECK(table.name_of(0xfff).empty());
  CHECK(table.name_of(0x1101).empty());
  CHECK(SymbolTable().name_of(0x1000).empty());
}

TEST_CASE("a symbol of unknown size reaches to the next, the last one nowhere") {
  const SymbolTable table({{0x1000, 0, "first"}, {0x2000, 0, "last"}});
  CHECK(table.name_of(0x1fff) == "first+0xfff");
  CHECK(table.name_of(0x2000) == "last");
  CHECK(table.name_of(0x2001).empty());
}

TEST_CASE("of several symbols at one address the first is taken") {
  CHECK(SymbolTable({{0x1000, 0, "one"}, {0x1000, 0, "another"}}).name_of(0x1000) == "one");
}

}  // namespace
}  // namespace kvmbench::symbols
