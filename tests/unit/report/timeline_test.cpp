#include "report/timeline.hpp"

#include <catch2/catch.hpp>
#include <numeric>

#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

std::uint64_t exits_of(const Timeline& timeline, std::uint32_t reason) {
  return std::accumulate(timeline.intervals().begin(), timeline.intervals().end(), std::uint64_t{0},
                         [reason](std::uint64_t sum, const Timeline::Interval& interval) {
                           const auto found = interval.exits_by_reason.find(reason);
                           return found == interval.exits_by_reason.end() ? sum : sum + found->second;
                         });
}

TEST_CASE("intervals follow each other") {
  Timeline timeline;
  timeline.add(0.5, {{2, 10}});
  timeline.add(1.5, {{2, 20}, {6, 1}});
  REQUIRE(timeline.intervals().size() == 2);
  CHECK(timeline.intervals()[0].end == 0.5);
  CHECK(timeline.intervals()[1].end == 2.0);
  CHECK(timeline.intervals()[1].exits_by_reason.at(6) == 1);
}

TEST_CASE("a long run keeps a bounded number of intervals and loses no exit") {
  Timeline timeline;
  constexpr std::uint64_t given = 20 * Timeline::most_intervals + 7;
  for (std::uint64_t i = 0; i < given; ++i) timeline.add(1, {{2, 3}});
  CHECK(timeline.intervals().size() <= Timeline::most_intervals);
  CHECK(timeline.intervals().size() > Timeline::most_intervals / 2);
  CHECK(timeline.intervals().back().end == static_cast<double>(given));
  CHECK(exits_of(timeline, 2) == 3 * given);
}

TEST_CASE("after halving, as many intervals make one as do in those kept") {
  Timeline timeline;
  for (std::size_t i = 0; i < Timeline::most_intervals + 4; ++i) timeline.add(1, {{2, 1}});
  double begin = 0;
  for (const Timeline::Interval& interval : timeline.intervals()) {
    CHECK(interval.end - begin == 2);
    begin = interval.end;
  }
}

TEST_CASE("exits of a snapshot are summed over vCPUs and keys") {
  const auto exits = exits_by_reason(rich_report().snapshot);
  CHECK(exits.at(2) == 2000 + 7 + 12 + 5 + 3);  // KVM_EXIT_IO
  CHECK(exits.at(6) == 30);                     // KVM_EXIT_MMIO
}

TEST_CASE("the chart names the six reasons with most exits, or five and the others together") {
  Timeline timeline;
  timeline.add(1, {{2, 60}, {6, 50}, {5, 40}, {10, 30}, {29, 20}, {30, 10}});
  CHECK(timeline_chart(timeline, 400).element().find("all other reasons") == std::string::npos);
  timeline.add(1, {{17, 5}});
  const std::string svg = timeline_chart(timeline, 400).element();
  CHECK(svg.find(">all other reasons</text>") != std::string::npos);
  CHECK(svg.find(">x86_wrmsr</text>") == std::string::npos);
}

TEST_CASE("an empty timeline is a chart without lines") {
  CHECK(timeline_chart({}, 400).element().find("<path") == std::string::npos);
}

}  // namespace
}  // namespace kvmbench::report
