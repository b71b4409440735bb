/// A recorder's snapshots beside its writer. The ThreadSanitizer build is what proves the absence of races;
/// the properties below are what a reader may rely on in any build.
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <utility>

#include "stats/recorder.hpp"

using namespace kvmbench;
using namespace kvmbench::stats;

namespace {

/// Why two successive snapshots of a running recorder contradict each other; empty if they do not.
std::string contradiction(const VcpuSnapshot& earlier, const VcpuSnapshot& later) {
  if (later.exits < earlier.exits) return "fewer exits";
  if (later.keys.size() < earlier.keys.size()) return "fewer keys";
  for (std::size_t i = 0; i < earlier.keys.size(); ++i) {
    const KeyStats& before = earlier.keys[i];
    const KeyStats& after = later.keys[i];
    if (after.key != before.key) return "another key in its place";
    if (after.count < before.count || after.transfers < before.transfers) return "a smaller count";
    for (const auto member : {&KeyStats::service, &KeyStats::run}) {
      const TimeStats& was = before.*member;
      const TimeStats& is = after.*member;
      if (is.count() < was.count() || is.sum < was.sum || is.max < was.max) return "less time";
      if (was.count() != 0 && is.min > was.min) return "a greater minimum";
      for (std::size_t bucket = 0; bucket < buckets::count; ++bucket) {
        if (is.histogram.in_bucket(bucket) < was.histogram.in_bucket(bucket)) return "a smaller bucket";
      }
    }
  }
  return {};
}

/// Why one snapshot of a running recorder contradicts itself; empty if it does not.
std::string contradiction(const VcpuSnapshot& snapshot) {
  std::uint64_t counted = 0;
  for (const KeyStats& stats : snapshot.keys) {
    counted += stats.count;
    if (stats.count == 0) return "a key without an exit";
    for (const TimeStats* times : {&stats.service, &stats.run}) {
      if (times->count() > stats.count) return "more times than exits";
      if (times->count() != 0 && (times->min < 1 || times->max > 1000 || times->min > times->max)) {
        return "extremes that were never recorded";
      }
      if (times->sum < times->count()) return "a sum behind its histogram";
    }
  }
  return counted > snapshot.exits ? "more exits under keys than in all" : "";
}

}  // namespace

TEST_CASE("snapshots beside a running writer only grow and never contradict themselves") {
  constexpr std::uint64_t exits = 400'000;
  Recorder recorder(0, 512);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < exits; ++i) {
      const ExitKey key{i * i % 997 % (1 + i / 500), 2, static_cast<std::uint16_t>(i / 100'000), 1,
                        Direction::write};
      recorder.record(key, 1 + i % 1000, 1 + i * 7 % 1000);
    }
    done = true;
  });

  std::string error;
  VcpuSnapshot last = recorder.snapshot();
  int snapshots = 0;
  do {
    VcpuSnapshot next = recorder.snapshot();
    error = contradiction(last, next) + contradiction(next);
    last = std::move(next);
    ++snapshots;
  } while (!done && error.empty());
  writer.join();
  INFO(snapshots << " snapshots");
  CHECK(error == "");

  const VcpuSnapshot final = recorder.snapshot();
  CHECK(contradiction(last, final) == "");
  std::uint64_t counted = 0;
  std::uint64_t timed = 0;
  for (const KeyStats& stats : final.keys) {
    counted += stats.count;
    timed += stats.service.count();
  }
  CHECK(final.exits == exits);
  CHECK(recorder.exits() == exits);
  CHECK(counted == exits);
  CHECK(timed == exits);
}

TEST_CASE("intervals taken beside a running writer add up to its whole") {
  constexpr std::uint64_t exits = 200'000;
  Recorder recorder(0);
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < exits; ++i)
      recorder.record({i % 20, 2, 0, 1, Direction::read}, i % 5000, 100);
  });
  Snapshot last{0, 0, 1, {}, {recorder.snapshot()}};
  std::uint64_t exits_sum = last.exits();
  KeyStats sum;
  for (const KeyStats& stats : last.vcpus[0].keys) sum += stats;
  const auto take_interval = [&] {
    Snapshot next{0, 0, 1, {}, {recorder.snapshot()}};
    const Snapshot interval = next - last;
    exits_sum += interval.exits();
    for (const KeyStats& stats : interval.vcpus[0].keys) sum += stats;
    last = std::move(next);
  };
  for (int i = 0; i < 20; ++i) take_interval();
  writer.join();
  take_interval();

  KeyStats whole;
  for (const KeyStats& stats : recorder.snapshot().keys) whole += stats;
  CHECK(exits_sum == exits);
  CHECK(sum.count == exits);
  CHECK(sum.transfers == exits);
  CHECK(sum.service.histogram == whole.service.histogram);
  CHECK(sum.run.histogram == whole.run.histogram);
  CHECK(sum.run.sum == whole.run.sum);
}
