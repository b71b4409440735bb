#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "report/timeline.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;
using Catch::Contains;

/// One interval of 2 s with the exits of the rich report.
std::string line() {
  stats::Snapshot interval = rich_report().snapshot;
  interval.began = 1'000;
  interval.taken = 2'000'001'000;
  return to_json_line(interval, 0) + "\n";
}

TEST_CASE("the lines of --interval are read as a timeline") {
  const Timeline timeline = timeline_from_json_lines(line() + line(), "a.jsonl");
  REQUIRE(timeline.intervals().size() == 2);
  CHECK(timeline.intervals()[0].end == Approx(2));
  CHECK(timeline.intervals()[1].end == Approx(4));
  CHECK(timeline.intervals()[1].exits_by_reason == exits_by_reason(rich_report().snapshot));
}

TEST_CASE("a last line that was not finished is left out") {
  CHECK(timeline_from_json_lines(line() + R"({"format": "kvmb)", "a.jsonl").intervals().size() == 1);
  CHECK(timeline_from_json_lines("", "a.jsonl").intervals().empty());
}

TEST_CASE("what is no interval is refused by its line") {
  const auto refusal = [](const std::string& second) {
    try {
      static_cast<void>(timeline_from_json_lines(line() + second + "\n", "a.jsonl"));
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refusal("{}"), Contains("a.jsonl: line 2: ") && Contains("\"format\" is missing"));
  CHECK_THAT(refusal("[1, 2"), Contains("a.jsonl: line 2: not JSON"));
  std::string negative = line();
  negative.replace(negative.find("\"count\":"), 8, "\"count\":-");
  CHECK_THAT(refusal(negative), Contains("count"));
}

}  // namespace
}  // namespace kvmbench::report
