#include "experiments/saved_table.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "base/error.hpp"

namespace kvmbench::experiments {
namespace {

constexpr std::string_view document = R"json({
  "format": "kvmbench-experiments",
  "host": [{"name": "paging", "value": "nested (npt)"}],
  "experiments": [
    {"name": "exits", "tables": []},
    {"name": "paging", "tables": [{"id": "paging", "columns": [{"key": "work"}, {"key": "exits"}], "rows": [
      {"work": "nothing", "exits": {"median": 1.5, "min": 1, "max": 2, "repetitions": 3}, "reasons": "HLT 1.00"},
      {"work": "boot", "not_here": "no kernel", "exits": null},
      {"work": 7, "exits": 12}
    ]}]}
  ]})json";

SavedTable parse(std::string_view text) {
  return SavedTable::parse(text, "other.json", "paging", "paging");
}

TEST_CASE("a saved table gives a cell by its row's first column and its key") {
  const SavedTable table = parse(document);
  CHECK(std::get<report::Spread>(table.cell("nothing", "exits")) ==
        report::Spread{.median = 1.5, .least = 1, .most = 2, .repetitions = 3});
  CHECK(std::get<std::string>(table.cell("nothing", "reasons")) == "HLT 1.00");
  CHECK(table.host_fact("paging") == "nested (npt)");
}

TEST_CASE("what a saved table has not is an empty cell") {
  const SavedTable table = parse(document);
  CHECK(table.cell("boot", "exits").index() == 0);
  CHECK(table.cell("nothing", "time_s").index() == 0);
  CHECK(table.cell("nowhere", "exits").index() == 0);
  CHECK(table.host_fact("cpu") == "unknown");
}

TEST_CASE("text of a saved table is made printable") {
  const SavedTable table = parse(
      R"({"format": "kvmbench-experiments", "experiments": [{"name": "paging", "tables": [{"id": "paging",
          "columns": [{"key": "work"}], "rows": [{"work": "a", "reasons": "\u001b[2J"}]}]}]})");
  CHECK(std::get<std::string>(table.cell("a", "reasons")).find('\x1b') == std::string::npos);
}

TEST_CASE("a document of another shape is refused by its name") {
  for (
      const std::string_view text :
      {"", "[]", "{}", "7", R"({"format": "kvmbench-report"})", R"({"format": "kvmbench-experiments"})",
       R"({"format": "kvmbench-experiments", "experiments": 7})",
       R"({"format": "kvmbench-experiments", "experiments": [{"name": "paging", "tables": 7}]})",
       R"({"format": "kvmbench-experiments", "experiments": [{"name": "paging", "tables": [{"id": "paging", "columns": []}]}]})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse(text), UsageError);
  }
}

TEST_CASE("rows that are none do not count") {
  const SavedTable table = parse(
      R"({"format": "kvmbench-experiments", "host": 7, "experiments": [{"name": "paging", "tables": [{"id": "paging",
          "columns": [{"key": "work"}], "rows": [7, null, [], "a", {"work": "b", "x": {"repetitions": -1}}]}]}]})");
  CHECK(table.cell("a", "work").index() == 0);
  CHECK(std::get<std::string>(table.cell("b", "work")) == "b");
  CHECK(table.cell("b", "x").index() == 0);
}

}  // namespace
}  // namespace kvmbench::experiments
