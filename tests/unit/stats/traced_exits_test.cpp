#include "stats/traced_exits.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace kvmbench::stats;

TimeStats same(std::uint64_t value, std::uint64_t times) {
  TimeStats stats;
  stats.histogram.add(value, times);
  stats.sum = value * times;
  stats.min = stats.max = value;
  return stats;
}

TracedExits sample(std::uint64_t io, std::uint64_t hlt) {
  TracedExits exits;
  exits.vendor = Vendor::svm;
  exits.exits = io + hlt;
  exits.reasons = {{0x78, hlt, 0, same(1'000, hlt), {}}, {0x7b, io, io, same(200, io), same(100, io)}};
  exits.details = {{{.value = 0x3f8}, io, io, 200 * io}};
  exits.returns = {{2, io}};
  return exits;
}

TEST_CASE("vCPUs' exits add up by reason and by detail") {
  TracedExits sum = sample(10, 3);
  TracedExits more = sample(5, 1);
  more.reasons.push_back({0x400, 2, 0, same(50, 2), {}});
  more.details.insert(more.details.begin(), {{.value = 0x80}, 1, 1, 7});
  sum += more;
  CHECK(sum.exits == 19);
  REQUIRE(sum.reasons.size() == 3);
  CHECK(sum.reasons[1].count == 15);
  CHECK(sum.reasons[1].outside.sum == 1'500);
  CHECK(sum.reasons[2].reason == 0x400);
  REQUIRE(sum.details.size() == 2);
  CHECK(sum.details[0].detail.value == 0x80);
  CHECK(sum.details[1].nanoseconds == 3'000);
  CHECK(sum.return_count() == 15);
}

TEST_CASE("what has come since is what grew") {
  TracedExits later = sample(10, 3);
  later -= sample(4, 3);
  CHECK(later.exits == 6);
  REQUIRE(later.reasons.size() == 1);
  CHECK(later.reasons[0] == HardwareReasonStats{0x7b, 6, 6, same(200, 6), same(100, 6)});
  CHECK(later.details[0].count == 6);
  CHECK(later.returns == std::vector<ReturnCount>{{2, 6}});
  CHECK(later.vendor == Vendor::svm);
}

TEST_CASE("a reason that is new has come whole") {
  TracedExits later = sample(10, 3);
  TracedExits earlier;
  later -= earlier;
  CHECK(later == sample(10, 3));
}

}  // namespace
