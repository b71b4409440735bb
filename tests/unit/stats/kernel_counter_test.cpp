#include "stats/kernel_counter.hpp"

#include <catch2/catch.hpp>

#include "stats/snapshot.hpp"

namespace {

using namespace kvmbench::stats;
using Type = KernelCounter::Type;

KernelCounter counter(const std::string& name, Type type, std::vector<std::uint64_t> values) {
  KernelCounter made;
  made.name = name;
  made.type = type;
  made.values = std::move(values);
  return made;
}

TEST_CASE("a counter is found by its name, a histogram is no value") {
  const KernelCounters counters = {counter("exits", Type::cumulative, {7}),
                                   counter("hist", Type::log_histogram, {1, 2})};
  CHECK(value_of(counters, "exits") == 7u);
  CHECK_FALSE(value_of(counters, "hist"));
  CHECK_FALSE(value_of(counters, "io_exits"));
}

TEST_CASE("what has come since: counts and buckets subtract, states and peaks stay") {
  const KernelCounters earlier = {counter("exits", Type::cumulative, {7}),
                                  counter("hist", Type::log_histogram, {1, 2, 3}),
                                  counter("pages", Type::instant, {50}), counter("deepest", Type::peak, {9})};
  const KernelCounters later = {counter("exits", Type::cumulative, {10}),
                                counter("hist", Type::log_histogram, {1, 4, 3}),
                                counter("pages", Type::instant, {40}), counter("deepest", Type::peak, {9})};
  const KernelCounters grown = later - earlier;
  CHECK(value_of(grown, "exits") == 3u);
  CHECK(grown[1].values == std::vector<std::uint64_t>{0, 2, 0});
  CHECK(value_of(grown, "pages") == 40u);
  CHECK(value_of(grown, "deepest") == 9u);
}

TEST_CASE("a counter that was not there before has come whole") {
  const KernelCounters later = {counter("exits", Type::cumulative, {10})};
  CHECK(later - KernelCounters{} == later);
}

TEST_CASE("vCPUs' counters add up, of peaks the highest stays") {
  Snapshot snapshot;
  for (const std::uint64_t n : {3u, 5u}) {
    VcpuSnapshot& vcpu = snapshot.vcpus.emplace_back();
    vcpu.counters = {counter("exits", Type::cumulative, {n}), counter("deepest", Type::peak, {n}),
                     counter("hist", Type::linear_histogram, {n, 1})};
  }
  const KernelCounters sums = snapshot.vcpu_counters();
  CHECK(value_of(sums, "exits") == 8u);
  CHECK(value_of(sums, "deepest") == 5u);
  CHECK(sums[2].values == std::vector<std::uint64_t>{8, 2});
  CHECK(sums[2].total() == 10);
}

TEST_CASE("buckets begin where the kernel's documentation says") {
  KernelCounter linear = counter("linear", Type::linear_histogram, {0, 0, 0});
  linear.bucket_size = 100;
  CHECK(linear.lower_bound(0) == 0);
  CHECK(linear.lower_bound(2) == 200);
  const KernelCounter logarithmic = counter("logarithmic", Type::log_histogram, {0, 0, 0, 0});
  CHECK(logarithmic.lower_bound(0) == 0);  // [0, 1)
  CHECK(logarithmic.lower_bound(1) == 1);  // [1, 2)
  CHECK(logarithmic.lower_bound(2) == 2);  // [2, 4)
  CHECK(logarithmic.lower_bound(3) == 4);
}

TEST_CASE("two snapshots' difference has the counters' growth, of the VM and of each vCPU") {
  Snapshot earlier;
  earlier.counters = {counter("flushes", Type::cumulative, {2})};
  earlier.vcpus.emplace_back().counters = {counter("exits", Type::cumulative, {7})};
  Snapshot later = earlier;
  later.counters[0].values[0] = 5;
  later.vcpus[0].counters[0].values[0] = 9;
  const Snapshot grown = later - earlier;
  CHECK(value_of(grown.counters, "flushes") == 3u);
  CHECK(value_of(grown.vcpus[0].counters, "exits") == 2u);
}

}  // namespace
