#include "stats/snapshot.hpp"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

using namespace kvmbench;
using namespace kvmbench::stats;

namespace {

constexpr ExitKey port_write{0x3f8, 2, 0, 1, Direction::write};
constexpr ExitKey port_read{0x3f8, 2, 0, 1, Direction::read};
constexpr ExitKey mmio_write{0xd000'0050, 6, 0, 4, Direction::write};

TimeStats times(std::initializer_list<Cycles> values) {
  TimeStats made;
  for (const Cycles value : values) made.add(value);
  return made;
}

TimeStats random_times(std::mt19937_64& random, int values) {
  TimeStats made;
  for (int i = 0; i < values; ++i) made.add(random() >> std::uniform_int_distribution<int>(20, 63)(random));
  return made;
}

KeyStats key_stats(const ExitKey& key, std::initializer_list<Cycles> values) {
  return {key, values.size(), values.size(), times(values), times(values)};
}

ExitKey in_phase(ExitKey key, std::uint16_t phase) {
  key.phase = phase;
  return key;
}

Snapshot snapshot(std::vector<VcpuSnapshot> vcpus) {
  return {100, 200, 1'000'000, {Phase{}}, std::move(vcpus)};
}

}  // namespace

TEST_CASE("times know their count, sum, mean, least and greatest") {
  const TimeStats made = times({30, 10, 20});
  CHECK(made.count() == 3);
  CHECK(made.sum == 60);
  CHECK(made.mean() == 20);
  CHECK(made.min == 10);
  CHECK(made.max == 30);
  CHECK(TimeStats{}.mean() == 0);
  CHECK(TimeStats{}.quantile(0.5) == 0);
}

TEST_CASE("a time of 0 cycles is the least there is, not the absence of one") {
  CHECK(times({0, 5}).min == 0);
  CHECK(times({5, 0}).min == 0);
  TimeStats merged = times({5});
  merged += TimeStats{};
  CHECK(merged.min == 5);
  merged += times({0});
  CHECK(merged.min == 0);
}

TEST_CASE("a percentile lies between the least and the greatest time") {
  const TimeStats one = times({1001});  // its bucket is 992 to 1023, of which the middle is 1008
  CHECK(one.histogram.quantile(0.5) == 1008);
  CHECK(one.quantile(0.5) == 1001);
  CHECK(one.quantile(0) == 1001);
  CHECK(one.quantile(1) == 1001);
}

TEST_CASE("merging times is commutative and associative, nothing changes nothing") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100; ++round) {
    const TimeStats a = random_times(random, round);
    const TimeStats b = random_times(random, 20);
    const TimeStats c = random_times(random, 1);
    TimeStats ab = a;
    ab += b;
    TimeStats ba = b;
    ba += a;
    CHECK(ab == ba);

    TimeStats ab_c = ab;
    ab_c += c;
    TimeStats bc = b;
    bc += c;
    TimeStats a_bc = a;
    a_bc += bc;
    CHECK(ab_c == a_bc);

    TimeStats same = a;
    same += TimeStats{};
    CHECK(same == a);
    TimeStats from_nothing;
    from_nothing += a;
    CHECK(from_nothing == a);
  }
}

TEST_CASE("what was added is what subtracting an earlier state leaves") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const TimeStats a = random_times(random, round % 7);
    const TimeStats b = random_times(random, round);
    TimeStats grown = a;
    grown += b;
    grown -= a;
    CHECK(grown.histogram == b.histogram);
    CHECK(grown.sum == b.sum);
    // Not known exactly: they enclose the true ones, within the bucket.
    CHECK(grown.min <= b.min);
    CHECK(grown.max >= b.max);
    CHECK(buckets::index_of(grown.min) == buckets::index_of(b.min));
    CHECK(buckets::index_of(grown.max) == buckets::index_of(b.max));
  }
}

TEST_CASE("the extremes of an interval are the bounds of the buckets that grew") {
  TimeStats later = times({10, 1000});
  later.add(105);  // bucket 104 to 107
  later -= times({10, 1000});
  CHECK(later.min == 104);
  CHECK(later.max == 107);

  TimeStats outside = times({105});
  outside.add(106);
  outside -= times({105});
  CHECK(outside.min == 105);  // never outside of what was ever seen
  CHECK(outside.max == 106);

  TimeStats same = times({7});
  same -= times({7});
  CHECK(same == TimeStats{});
}

TEST_CASE("sums by key add up the vCPUs and keep directions apart") {
  const Snapshot two = snapshot({{0, 3, {key_stats(port_write, {10, 20}), key_stats(mmio_write, {5})}},
                                 {1, 2, {key_stats(port_read, {1}), key_stats(port_write, {30})}}});
  CHECK(two.exits() == 5);
  const std::vector<KeyStats> sums = by_key(two, Phases::kept);
  REQUIRE(sums.size() == 3);
  CHECK(sums[0] == key_stats(port_read, {1}));
  CHECK(sums[1] == key_stats(port_write, {10, 20, 30}));
  CHECK(sums[2] == key_stats(mmio_write, {5}));
}

TEST_CASE("phases are kept apart or merged as asked") {
  const Snapshot phased = snapshot({{0,
                                     3,
                                     {key_stats(in_phase(port_write, 2), {10}), key_stats(port_write, {20}),
                                      key_stats(in_phase(port_write, 1), {40})}}});
  const std::vector<KeyStats> kept = by_key(phased, Phases::kept);
  REQUIRE(kept.size() == 3);
  CHECK(kept[0] == key_stats(port_write, {20}));
  CHECK(kept[1] == key_stats(in_phase(port_write, 1), {40}));
  CHECK(kept[2] == key_stats(in_phase(port_write, 2), {10}));

  const std::vector<KeyStats> merged = by_key(phased, Phases::merged);
  REQUIRE(merged.size() == 1);
  CHECK(merged[0] == key_stats(port_write, {10, 20, 40}));
}

TEST_CASE("sums by reason are in the order of reasons and lose nothing") {
  KeyStats block = key_stats(port_write, {10});
  block.transfers = 512;
  const std::vector<ReasonStats> sums =
      by_reason({key_stats(mmio_write, {5}), block, key_stats(in_phase(port_read, 3), {20})});
  REQUIRE(sums.size() == 2);
  CHECK(sums[0] == ReasonStats{2, 2, 513, times({10, 20}), times({10, 20})});
  CHECK(sums[1] == ReasonStats{6, 1, 1, times({5}), times({5})});
  CHECK(by_reason({}).empty());
}

TEST_CASE("an interval holds what came between two snapshots, by vCPU and key") {
  const Snapshot earlier = snapshot({{0, 2, {key_stats(port_write, {10}), key_stats(mmio_write, {7})}}});
  Snapshot later = snapshot(
      {{0, 5, {key_stats(mmio_write, {7}), key_stats(port_write, {10, 300, 300}), key_stats(port_read, {4})}},
       {1, 1, {key_stats(port_read, {2})}}});
  later.taken = 900;
  later.phases.push_back({PhaseLabel{PhaseLabel::Kind::power_off, 0, {}}, 800});

  const Snapshot interval = later - earlier;
  CHECK(interval.began == 200);
  CHECK(interval.taken == 900);
  CHECK(interval.tsc_khz == 1'000'000);
  CHECK(interval.phases == later.phases);
  CHECK(interval.exits() == 4);
  REQUIRE(interval.vcpus.size() == 2);
  CHECK(interval.vcpus[0].exits == 3);
  REQUIRE(interval.vcpus[0].keys.size() == 2);
  CHECK(interval.vcpus[0].keys[0].key == port_write);
  CHECK(interval.vcpus[0].keys[0].count == 2);
  CHECK(interval.vcpus[0].keys[0].transfers == 2);
  CHECK(interval.vcpus[0].keys[0].service.sum == 600);
  CHECK(interval.vcpus[0].keys[0].service.histogram == times({300, 300}).histogram);
  CHECK(interval.vcpus[0].keys[1] == key_stats(port_read, {4}));
  CHECK(interval.vcpus[1] == later.vcpus[1]);
}

TEST_CASE("an interval in which nothing came is empty") {
  const Snapshot some = snapshot({{0, 1, {key_stats(port_write, {10})}}});
  const Snapshot none = some - some;
  CHECK(none.exits() == 0);
  REQUIRE(none.vcpus.size() == 1);
  CHECK(none.vcpus[0].keys.empty());
}

TEST_CASE("the kernel's count of exits is a vCPU's own, and its sum is that of all vCPUs or none") {
  CHECK(snapshot({{0, 1, {}, 30}, {1, 2, {}, 12}}).kernel_exits() == 42);
  CHECK(snapshot({{0, 1, {}, 30}, {1, 2, {}}}).kernel_exits() == std::nullopt);
  CHECK(snapshot({{0, 1, {}, 30}, {1, 2, {}, 0}}).kernel_exits() == 30);
  CHECK_FALSE(VcpuSnapshot{0, 1, {}, 30} == VcpuSnapshot{0, 1, {}, 31});
  CHECK_FALSE(VcpuSnapshot{0, 1, {}, 0} == VcpuSnapshot{0, 1, {}});
}

TEST_CASE("an interval's count by the kernel is what came, known where it was known at both ends") {
  const Snapshot earlier = snapshot({{0, 1, {}, 30}, {1, 1, {}}, {2, 1, {}, 5}});
  const Snapshot later = snapshot({{0, 1, {}, 42}, {1, 1, {}, 7}, {2, 1, {}}, {3, 1, {}, 9}});
  const Snapshot interval = later - earlier;
  REQUIRE(interval.vcpus.size() == 4);
  CHECK(interval.vcpus[0].kernel_exits == 12);
  CHECK(interval.vcpus[1].kernel_exits == std::nullopt);
  CHECK(interval.vcpus[2].kernel_exits == std::nullopt);
  CHECK(interval.vcpus[3].kernel_exits == 9);  // made after `earlier`: all that it has came since
}

TEST_CASE("a time that is counted an interval later than its exit is not lost") {
  KeyStats early = key_stats(port_write, {10});
  early.count = 2;  // the second exit's time is still to come
  const Snapshot earlier = snapshot({{0, 2, {early}}});
  const Snapshot later = snapshot({{0, 2, {key_stats(port_write, {10, 20})}}});
  const Snapshot interval = later - earlier;
  REQUIRE(interval.vcpus[0].keys.size() == 1);
  CHECK(interval.vcpus[0].keys[0].count == 0);
  CHECK(interval.vcpus[0].keys[0].service.histogram == times({20}).histogram);
}

TEST_CASE("an interval has the operations that grew, and a device's that came later from their beginning") {
  Snapshot earlier, later;
  earlier.operations = {{"disk", {{"requests", 10}, {"bytes", 4096}}}, {"net", {{"packets", 7}}}};
  later.operations = {{"disk", {{"requests", 15}, {"bytes", 4096}, {"flushes", 1}}},
                      {"net", {{"packets", 7}}},
                      {"console", {{"bytes", 3}}}};
  CHECK((later - earlier).operations ==
        std::vector<DeviceOperations>{{"disk", {{"requests", 5}, {"flushes", 1}}},
                                      {"console", {{"bytes", 3}}}});
}

TEST_CASE("a phase's name says what began it") {
  using Kind = PhaseLabel::Kind;
  CHECK(PhaseLabel{}.name() == "start");
  CHECK(PhaseLabel{Kind::post_code, 0x10, {}}.name() == "post 0x10");
  CHECK(PhaseLabel{Kind::post_code, 0, {}}.name() == "post 0x00");
  CHECK(PhaseLabel{Kind::mark, 0x1234, {}}.name() == "mark 0x1234");
  CHECK(PhaseLabel{Kind::named, 0, "steady state"}.name() == "steady state");
  CHECK(PhaseLabel{Kind::userspace_output, 0, {}}.name() == "userspace output");
  CHECK(PhaseLabel{Kind::serial_match, 0, "login:"}.name() == "serial /login:/");
  CHECK(PhaseLabel{Kind::power_off, 0, {}}.name() == "power-off");
  CHECK(PhaseLabel{Kind::further, 0, {}}.name() == "further phases");
}
