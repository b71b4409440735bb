#include "report/memory_view.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "report/html/html.hpp"
#include "report/merge.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

Report guarded_report() {
  Report report = rich_report();
  report.guarded.ranges = {{0x1000000, 0x1001fff, "none,action=inject", 2, 3, 4},
                           {0x2000000, 0x2000fff, "watch,by=ring", 0, 7, 0}};
  report.guarded.accesses = {
      {report.snapshot.began + 5000, 0x1000010, Direction::write, 4, 1u, std::uint64_t{42},
       std::uint64_t{0x100234}},
      {report.snapshot.began + 6000, 0x1000014, Direction::read, 1, 0u, {}, std::uint64_t{0x100238}},
      {report.snapshot.began + 7000, 0x2000000, Direction::write, 0, {}, {}, {}}};
  report.guarded.further = 9;
  return report;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("an access is told in words, without what is not known of it") {
  const stats::GuardedAccount account = guarded_report().guarded;
  CHECK(in_words(account.accesses[0]) == "vCPU 1 wrote 4 bytes (0x2a) at 0x1000010, rip 0x100234");
  CHECK(in_words(account.accesses[1]) == "vCPU 0 read 1 byte at 0x1000014, rip 0x100238");
  CHECK(in_words(account.accesses[2]) == "wrote to the page at 0x2000000");
}

TEST_CASE("a saved report has all that came to guarded memory") {
  const Report report = guarded_report();
  CHECK(from_json(to_json(report), "saved.json").guarded == report.guarded);
  CHECK_FALSE(contains(to_json(rich_report()), "guarded_memory"));
}

TEST_CASE("a saved report whose guarded memory cannot be is refused") {
  const std::string good = to_json(guarded_report());
  const auto refused = [&good](const std::string& part, const std::string& with) {
    std::string bad = good;
    const std::size_t at = bad.find(part, bad.find("guarded_memory"));
    REQUIRE(at != std::string::npos);
    bad.replace(at, part.size(), with);
    CHECK_THROWS_AS(from_json(bad, "bad.json"), UsageError);
  };
  refused("16777216", "33554432");  // the range ends before it begins
  refused("\"told\"", "\"said\"");
  refused("\"direction\"", "\"way\"");
  refused("\"write\"", "\"erase\"");
  refused("\"further\"", "\"more\"");
}

TEST_CASE("text, Markdown, HTML and CSV show ranges and accesses, where there are any") {
  const Report report = guarded_report();
  for (const std::string& text :
       {to_text(report, {}), to_markdown(report, false), to_html(report, {}), to_csv(report)}) {
    CHECK(contains(text, "0x1001fff"));
    CHECK(contains(text, "watch,by=ring"));
    CHECK(contains(text, "0x100234"));
  }
  CHECK(contains(to_text(report, {}), "9 more came after these."));
  CHECK(memory_tables(rich_report()).empty());
}

TEST_CASE("merging adds ranges of the same rule up, and counts accesses that it does not keep") {
  Merger merger;
  merger.add(guarded_report(), "a");
  merger.add(guarded_report(), "b");
  merger.add(rich_report(), "c");
  const Report merged = merger.take();
  REQUIRE(merged.guarded.ranges.size() == 2);
  CHECK(merged.guarded.ranges[0] ==
        stats::GuardedMemory{0x1000000, 0x1001fff, "none,action=inject", 4, 6, 8});
  CHECK(merged.guarded.ranges[1].writes == 14);
  CHECK(merged.guarded.accesses.empty());
  CHECK(merged.guarded.further == 2 * (9 + 3));
}

}  // namespace
}  // namespace kvmbench::report
