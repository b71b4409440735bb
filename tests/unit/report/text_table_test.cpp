#include "report/text_table.hpp"

#include <catch2/catch.hpp>

namespace kvmbench::report {
namespace {

using Align = TextColumn::Align;

TextTable table() {
  TextTable table({{.title = "name", .align = Align::left},
                   {.title = "count"},
                   {.title = "mean", .dropped = 1},
                   {.title = "max", .dropped = 2}});
  table.add({"io", "2,000", "1.20 µs", "3.00 ms"});
  table.add({"hlt", "1", "12.0 µs", "12.0 µs"});
  table.set_total({"total", "2,001", "", ""});
  return table;
}

TEST_CASE("columns line up, whatever bytes their characters take") {
  CHECK(table().render(80, false) ==
        "name   count     mean      max\n"
        "------------------------------\n"
        "io     2,000  1.20 µs  3.00 ms\n"
        "hlt        1  12.0 µs  12.0 µs\n"
        "------------------------------\n"
        "total  2,001\n");
}

TEST_CASE("the least important column goes first where the table is too wide") {
  CHECK(table().render(29, false) ==
        "name   count     mean\n"
        "---------------------\n"
        "io     2,000  1.20 µs\n"
        "hlt        1  12.0 µs\n"
        "---------------------\n"
        "total  2,001\n");
}

TEST_CASE("names are cut, figures are not, where nothing is left to drop") {
  CHECK(table().render(10, false) ==
        "na…  count\n"
        "----------\n"
        "io   2,000\n"
        "hlt      1\n"
        "----------\n"
        "to…  2,001\n");
}

TEST_CASE("colour changes no character that is shown") {
  std::string coloured = table().render(80, true);
  CHECK(coloured.find("\x1b[") != std::string::npos);
  for (const std::string code : {"\x1b[0m", "\x1b[1m", "\x1b[2m"}) {
    for (std::size_t at; (at = coloured.find(code)) != std::string::npos;) coloured.erase(at, code.size());
  }
  CHECK(coloured == table().render(80, false));
}

TEST_CASE("a column that takes the rest is there only with room for it") {
  TextTable table({{.title = "name", .align = Align::left},
                   {.title = "what it is", .align = Align::left, .takes_rest = true},
                   {.title = "count"}});
  table.add({"io", "a sentence of some length about it", "7"});
  CHECK(table.render(40, false) ==
        "name  what it is                   count\n"
        "----------------------------------------\n"
        "io    a sentence of some length …      7\n");
  CHECK(table.render(36, false) ==
        "name  count\n"
        "-----------\n"
        "io        7\n");
}

}  // namespace
}  // namespace kvmbench::report
