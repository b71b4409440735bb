#include "stats/recorder.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "base/error.hpp"

using namespace kvmbench;
using namespace kvmbench::stats;

namespace {

ExitKey port(std::uint64_t address, Direction direction = Direction::write, std::uint16_t phase = 0) {
  return {address, 2, phase, 1, direction};
}

ExitKey overflow_of(std::uint32_t reason, std::uint16_t phase = 0) {
  return {overflow_address, reason, phase, 0, Direction::none};
}

std::uint64_t sum_of_keys(const VcpuSnapshot& snapshot) {
  std::uint64_t sum = 0;
  for (const KeyStats& stats : snapshot.keys) sum += stats.count;
  return sum;
}

const KeyStats* find(const VcpuSnapshot& snapshot, const ExitKey& key) {
  for (const KeyStats& stats : snapshot.keys) {
    if (stats.key == key) return &stats;
  }
  return nullptr;
}

std::uint64_t count_of(const VcpuSnapshot& snapshot, const ExitKey& key) {
  const KeyStats* stats = find(snapshot, key);
  return stats == nullptr ? 0 : stats->count;
}

long resident_pages() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  statm >> size >> resident;
  return resident;
}

}  // namespace

TEST_CASE("a new recorder has counted nothing") {
  const Recorder recorder(3);
  CHECK(recorder.exits() == 0);
  CHECK(recorder.snapshot() == VcpuSnapshot{3, 0, {}});
}

TEST_CASE("an exit is counted under its key with its times and transfers") {
  Recorder recorder(0);
  recorder.record(port(0x3f8), 5000, 300);
  recorder.record(port(0x3f8), 7000, 200, 16);
  recorder.record(port(0x3f8, Direction::read), 0, 0, 0);
  CHECK(recorder.exits() == 3);

  const VcpuSnapshot snapshot = recorder.snapshot();
  CHECK(snapshot.exits == 3);
  REQUIRE(snapshot.keys.size() == 2);
  const KeyStats& written = snapshot.keys[0];
  CHECK(written.key == port(0x3f8));
  CHECK(written.count == 2);
  CHECK(written.transfers == 17);
  CHECK(written.run.sum == 12000);
  CHECK(written.run.min == 5000);
  CHECK(written.run.max == 7000);
  CHECK(written.service.sum == 500);
  CHECK(written.service.min == 200);
  CHECK(written.service.max == 300);
  const KeyStats& was_read = snapshot.keys[1];
  CHECK(was_read.key == port(0x3f8, Direction::read));
  CHECK(was_read.count == 1);
  CHECK(was_read.transfers == 0);
  CHECK(was_read.service.count() == 1);
  CHECK(was_read.service.max == 0);
}

TEST_CASE("keys that differ in one field only are counted apart") {
  const ExitKey base{0x3f8, 2, 1, 1, Direction::read};
  std::vector<ExitKey> keys(6, base);
  keys[1].address = 0x3f9;
  keys[2].reason = 6;
  keys[3].phase = 2;
  keys[4].width = 2;
  keys[5].direction = Direction::write;
  Recorder recorder(0);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t times = 0; times <= i; ++times) recorder.record(keys[i], 1, 1);
  }
  const VcpuSnapshot snapshot = recorder.snapshot();
  CHECK(snapshot.keys.size() == 6);
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(count_of(snapshot, keys[i]) == i + 1);
}

TEST_CASE("a recorder agrees with the plain sums of what it was given") {
  std::mt19937_64 random(1);
  std::map<std::uint64_t, KeyStats> expected;
  Recorder recorder(0);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t address = random() % 1500;
    const Cycles run = random() >> (random() % 60);
    const Cycles service = random() >> (random() % 60);
    const auto transfers = static_cast<std::uint32_t>(random() % 4);
    recorder.record(port(address), run, service, transfers);
    KeyStats& stats = expected[address];
    stats.key = port(address);
    ++stats.count;
    stats.transfers += transfers;
    stats.run.add(run);
    stats.service.add(service);
  }
  const VcpuSnapshot snapshot = recorder.snapshot();
  CHECK(snapshot.exits == 200'000);
  REQUIRE(snapshot.keys.size() == expected.size());
  for (const KeyStats& stats : snapshot.keys) REQUIRE(stats == expected.at(stats.key.address));
}

TEST_CASE("a full table counts further keys under their reason and phase") {
  Recorder recorder(0, 16);  // 13 keys, 2 for the overflow of a reason, 1 for all else
  for (std::uint64_t address = 0; address < 1000; ++address) recorder.record(port(address), 1, 1);
  VcpuSnapshot snapshot = recorder.snapshot();
  REQUIRE(snapshot.keys.size() == 14);
  for (std::uint64_t address = 0; address < 13; ++address) CHECK(count_of(snapshot, port(address)) == 1);
  CHECK(count_of(snapshot, overflow_of(2)) == 987);
  CHECK(sum_of_keys(snapshot) == 1000);

  recorder.record(port(5), 1, 1);  // a known key is still counted as such
  recorder.record(port(5000, Direction::write, 7), 1, 1);
  snapshot = recorder.snapshot();
  CHECK(count_of(snapshot, port(5)) == 2);
  CHECK(count_of(snapshot, overflow_of(2, 7)) == 1);
  CHECK(sum_of_keys(snapshot) == recorder.exits());
}

TEST_CASE("where there is no room for another reason either, all else is counted under one key") {
  Recorder recorder(0, 16);
  for (std::uint64_t address = 0; address < 13; ++address) recorder.record(port(address), 1, 1);
  for (std::uint32_t reason = 100; reason < 200; ++reason)
    recorder.record({0, reason, 9, 4, Direction::read}, 1, 1);
  const VcpuSnapshot snapshot = recorder.snapshot();
  CHECK(snapshot.keys.size() == 16);
  CHECK(count_of(snapshot, overflow_of(100, 9)) == 1);
  CHECK(count_of(snapshot, overflow_of(101, 9)) == 1);
  CHECK(count_of(snapshot, overflow_key) == 98);
  CHECK(snapshot.exits == 113);
  CHECK(sum_of_keys(snapshot) == 113);
}

TEST_CASE("a guest's own use of the overflow address loses no exit") {
  Recorder recorder(0, 4);
  recorder.record(overflow_key, 1, 1);
  recorder.record(overflow_of(3), 1, 1);
  for (std::uint32_t reason = 0; reason < 50; ++reason)
    recorder.record({1, reason, 0, 8, Direction::none}, 1, 1);
  CHECK(recorder.exits() == 52);
  CHECK(sum_of_keys(recorder.snapshot()) == 52);
}

TEST_CASE("the sum over keys is the number of exits, whatever the table's size") {
  for (const std::size_t max_keys : {1u, 2u, 3u, 7u, 8u, 9u, 31u, 32u, 33u, 1024u}) {
    CAPTURE(max_keys);
    std::mt19937_64 random(max_keys);
    Recorder recorder(0, max_keys);
    for (int i = 0; i < 20'000; ++i) {
      const ExitKey key{random() % 97, static_cast<std::uint32_t>(random() % 5),
                        static_cast<std::uint16_t>(random() % 3),
                        static_cast<std::uint8_t>(1u << (random() % 4)),
                        random() % 2 == 0 ? Direction::read : Direction::write};
      recorder.record(key, 10, 10);
    }
    const VcpuSnapshot snapshot = recorder.snapshot();
    CHECK(snapshot.exits == 20'000);
    CHECK(sum_of_keys(snapshot) == 20'000);
    CHECK(snapshot.keys.size() <= max_keys);
    std::uint64_t timed = 0;
    for (const KeyStats& stats : snapshot.keys) timed += stats.run.count();
    CHECK(timed == 20'000);
  }
}

TEST_CASE("a table of one key counts everything under the overflow key") {
  Recorder recorder(0, 1);
  recorder.record(port(1), 1, 1);
  recorder.record({0, 8, 0, 0, Direction::none}, 1, 1);
  const VcpuSnapshot snapshot = recorder.snapshot();
  REQUIRE(snapshot.keys.size() == 1);
  CHECK(snapshot.keys[0].key == overflow_key);
  CHECK(snapshot.keys[0].count == 2);
}

TEST_CASE("a table's size is refused out of its range") {
  CHECK_THROWS_AS(Recorder(0, 0), UsageError);
  CHECK_THROWS_AS(Recorder(0, Recorder::most_keys + 1), UsageError);
  CHECK_THROWS_AS(Recorder(0, ~std::size_t{0}), UsageError);
}

TEST_CASE("memory is committed as keys appear, not with the table") {
  const long before = resident_pages();
  Recorder recorder(0, Recorder::most_keys);  // 600 MiB of address space
  for (std::uint64_t address = 0; address < 10; ++address) recorder.record(port(address), 1000, 100);
  // 10 keys of 3 pages, their slots in as many pages, and what the C library takes meanwhile.
  CHECK(resident_pages() - before < 1024);
}

TEST_CASE("intervals of a recorder add up to its whole") {
  Recorder recorder(0);
  Snapshot first{0, 0, 1, {}, {recorder.snapshot()}};
  for (std::uint64_t i = 0; i < 100; ++i) recorder.record(port(i % 3), i, 2 * i);
  const Snapshot second{0, 10, 1, {}, {recorder.snapshot()}};
  for (std::uint64_t i = 0; i < 50; ++i) recorder.record(port(i % 2), i, 2 * i);
  const Snapshot third{0, 20, 1, {}, {recorder.snapshot()}};
  const Snapshot interval = third - second;
  CHECK(interval.exits() == 50);
  CHECK(interval.vcpus[0].keys.size() == 2);
  CHECK(count_of(interval.vcpus[0], port(0)) == 25);
  CHECK((second - first).vcpus[0].keys == second.vcpus[0].keys);
}
