#include "trace/counter_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <set>

#include "samples.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::trace;
using stats::KernelCounter;
using Type = KernelCounter::Type;
using Unit = KernelCounter::Unit;

CounterLayout layout_of(const std::string& name) {
  return CounterLayout::parse(testing::sample_bytes(name)).value();
}

const CounterLayout::Place& place_of(const CounterLayout& layout, const std::string& name) {
  const auto at = std::find_if(layout.places.begin(), layout.places.end(),
                               [&](const auto& place) { return place.counter.name == name; });
  REQUIRE(at != layout.places.end());
  return *at;
}

/// A file of the sample's description, each of whose data words holds its own number.
UniqueFd numbered_file(const std::string& name) {
  const std::vector<std::byte> description = testing::sample_bytes(name);
  const CounterLayout layout = layout_of(name);
  std::vector<std::uint64_t> data(layout.words);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = i;
  UniqueFd fd(::memfd_create("counters", MFD_CLOEXEC));
  REQUIRE(::pwrite(fd.get(), description.data(), description.size(), 0) > 0);
  REQUIRE(::pwrite(fd.get(), data.data(), data.size() * 8, layout.data_offset) > 0);
  return fd;
}

TEST_CASE("a vCPU's counters are those of the kernel's descriptors") {
  const std::string kernel = GENERATE("linux-6.1", "linux-6.18");
  const CounterLayout layout = layout_of(kernel + "/vcpu_counters.hex");
  CHECK(layout.places.size() == 45);
  CHECK(layout.data_offset == 24 + 48 + 45 * (16 + 48));

  const CounterLayout::Place& exits = place_of(layout, "exits");
  CHECK(exits.count == 1);
  CHECK(exits.counter.type == Type::cumulative);
  CHECK(exits.counter.unit == Unit::none);

  const CounterLayout::Place& waits = place_of(layout, "halt_wait_hist");
  CHECK(waits.count == 32);
  CHECK(waits.counter.type == Type::log_histogram);
  CHECK(waits.counter.unit == Unit::seconds);
  CHECK(waits.counter.base == 10);
  CHECK(waits.counter.exponent == -9);

  const CounterLayout::Place& guest_mode = place_of(layout, "guest_mode");
  CHECK(guest_mode.counter.type == Type::instant);
  CHECK(guest_mode.counter.unit == Unit::boolean);
}

TEST_CASE("a VM's counters are those of the kernel's descriptors") {
  const std::string kernel = GENERATE("linux-6.1", "linux-6.18");
  const CounterLayout layout = layout_of(kernel + "/vm_counters.hex");
  CHECK(layout.places.size() == 15);
  CHECK(place_of(layout, "pages_4k").counter.type == Type::instant);
  CHECK(place_of(layout, "max_mmu_rmap_size").counter.type == Type::peak);
}

TEST_CASE("each counter is read from its own place") {
  const auto file = CounterFile::open(numbered_file("linux-6.1/vcpu_counters.hex"));
  REQUIRE(file);
  const stats::KernelCounters counters = file->read();
  REQUIRE(counters.size() == 45);
  std::set<std::uint64_t> seen;
  for (const KernelCounter& counter : counters) seen.insert(counter.values.begin(), counter.values.end());
  CHECK(seen.size() == 42 + 3 * 32);  // every word once
  REQUIRE(file->has_exits());
  CHECK(file->exits() == stats::value_of(counters, "exits"));
  CHECK(file->exits() == place_of(layout_of("linux-6.1/vcpu_counters.hex"), "exits").first);
}

TEST_CASE("a VM's file has no exits") {
  const auto file = CounterFile::open(numbered_file("linux-6.18/vm_counters.hex"));
  REQUIRE(file);
  CHECK_FALSE(file->has_exits());
  CHECK(file->exits() == 0);
}

TEST_CASE("what is no file of counters is refused") {
  CHECK_FALSE(CounterFile::open(UniqueFd()));
  CHECK_FALSE(CounterFile::open(UniqueFd(::memfd_create("empty", MFD_CLOEXEC))));

  std::vector<std::byte> bytes = testing::sample_bytes("linux-6.1/vcpu_counters.hex");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(CounterLayout::parse({bytes.data(), size}));

  const std::size_t num_desc = 8;
  std::memset(bytes.data() + num_desc, 0xff, 4);
  CHECK_FALSE(CounterLayout::parse(bytes));
  UniqueFd fd(::memfd_create("hostile", MFD_CLOEXEC));
  REQUIRE(::pwrite(fd.get(), bytes.data(), bytes.size(), 0) > 0);
  CHECK_FALSE(CounterFile::open(std::move(fd)));
}

TEST_CASE("a counter of an unknown type is left out, the others stay") {
  std::vector<std::byte> bytes = testing::sample_bytes("linux-6.1/vcpu_counters.hex");
  bytes[72] = std::byte{0x0f};  // the first descriptor's flags
  const auto layout = CounterLayout::parse(bytes);
  REQUIRE(layout);
  CHECK(layout->places.size() == 44);
}

TEST_CASE("a file that has become short reads as nothing") {
  UniqueFd fd = numbered_file("linux-6.1/vcpu_counters.hex");
  UniqueFd same(::dup(fd.get()));
  const auto file = CounterFile::open(std::move(fd));
  REQUIRE(file);
  REQUIRE(::ftruncate(same.get(), 100) == 0);
  CHECK(file->read().empty());
  CHECK(file->exits() == 0);
}

}  // namespace
