#include "memory/guest_memory.hpp"

#include <sys/resource.h>

#include <array>
#include <catch2/catch.hpp>
#include <limits>

#include "base/error.hpp"

using namespace kvmbench;

namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t gib = 1024 * mib;
constexpr std::uint64_t greatest = std::numeric_limits<std::uint64_t>::max();

std::array<std::byte, 4> bytes(unsigned a, unsigned b, unsigned c, unsigned d) {
  return {std::byte(a), std::byte(b), std::byte(c), std::byte(d)};
}

}  // namespace

TEST_CASE("memory up to 3 GiB is one region at 0") {
  const GuestMemory small(mib);
  REQUIRE(small.regions().size() == 1);
  CHECK(small.regions()[0].start == Gpa{0});
  CHECK(small.regions()[0].bytes.size() == mib);
  CHECK(small.size() == mib);

  const GuestMemory low(3 * gib);
  REQUIRE(low.regions().size() == 1);
  CHECK(low.regions()[0].bytes.size() == 3 * gib);
}

TEST_CASE("a region begins where a huge page of the host can") {
  const GuestMemory both(3 * gib + 4 * kib);
  for (const GuestMemory::Region& region : both.regions()) {
    CHECK(reinterpret_cast<std::uintptr_t>(region.bytes.data()) % (2 * mib) == 0);
  }
}

TEST_CASE("what is above 3 GiB lies from 4 GiB on") {
  const GuestMemory just(3 * gib + 4 * kib);
  REQUIRE(just.regions().size() == 2);
  CHECK(just.regions()[0].bytes.size() == 3 * gib);
  CHECK(just.regions()[1].start == Gpa{4 * gib});
  CHECK(just.regions()[1].bytes.size() == 4 * kib);
  CHECK(just.size() == 3 * gib + 4 * kib);

  const GuestMemory five(5 * gib);
  REQUIRE(five.regions().size() == 2);
  CHECK(five.regions()[1].bytes.size() == 2 * gib);
}

TEST_CASE("memory is zero and takes the host's only where it is touched") {
  const GuestMemory memory(8 * gib);
  CHECK(memory.load<std::uint64_t>(Gpa{0}) == 0u);
  CHECK(memory.load<std::uint64_t>(Gpa{9 * gib - 8}) == 0u);
  rusage usage{};
  REQUIRE(::getrusage(RUSAGE_SELF, &usage) == 0);
  CHECK(usage.ru_maxrss < 1024 * 1024);  // KiB
}

TEST_CASE("sizes that no machine has are refused") {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, 4 * kib, mib - 4 * kib, mib + 1,
                                   mib + 2 * kib, 64 * 1024 * gib + 4 * kib, greatest, greatest - 4095}) {
    CAPTURE(size);
    CHECK_THROWS_AS(GuestMemory(size), UsageError);
  }
  CHECK_THROWS_AS(GuestMemory(3 * mib, GuestMemory::Backing::huge_pages), UsageError);
  CHECK_THROWS_AS(GuestMemory(mib, GuestMemory::Backing::huge_pages), UsageError);
}

TEST_CASE("a range is given only where every byte of it is RAM") {
  const GuestMemory memory(2 * mib);
  CHECK(memory.range(Gpa{0}, 2 * mib).size() == 2 * mib);
  CHECK(memory.range(Gpa{0}, 2 * mib).data() == memory.regions()[0].bytes.data());
  CHECK(memory.range(Gpa{2 * mib - 1}, 1).size() == 1);
  CHECK(memory.range(Gpa{2 * mib - 1}, 1).data() == &memory.regions()[0].bytes.back());
  CHECK(memory.range(Gpa{0}, 2 * mib + 1).empty());
  CHECK(memory.range(Gpa{1}, 2 * mib).empty());
  CHECK(memory.range(Gpa{2 * mib - 1}, 2).empty());
  CHECK(memory.range(Gpa{2 * mib}, 1).empty());
}

TEST_CASE("a range of no bytes is empty anywhere") {
  const GuestMemory memory(2 * mib);
  CHECK(memory.range(Gpa{0}, 0).empty());
  CHECK(memory.range(Gpa{2 * mib}, 0).empty());
  CHECK(memory.range(Gpa{greatest}, 0).empty());
}

TEST_CASE("a range that wraps around 2^64 is refused") {
  const GuestMemory memory(2 * mib);
  CHECK(memory.range(Gpa{greatest}, 1).empty());
  CHECK(memory.range(Gpa{greatest}, 2).empty());
  CHECK(memory.range(Gpa{greatest - 7}, 16).empty());
  CHECK(memory.range(Gpa{1}, greatest).empty());
  CHECK(memory.range(Gpa{4096}, greatest - 4095).empty());
  CHECK(memory.range(Gpa{0}, greatest).empty());
  CHECK(memory.range(Gpa{mib}, greatest - mib + 1).empty());
  CHECK(memory.range(Gpa{greatest}, greatest).empty());
}

TEST_CASE("the hole between 3 and 4 GiB is not RAM, the memory beyond it is") {
  const GuestMemory memory(5 * gib);
  CHECK(memory.range(Gpa{3 * gib - 1}, 1).size() == 1);
  CHECK(memory.range(Gpa{3 * gib - 1}, 2).empty());
  CHECK(memory.range(Gpa{3 * gib}, 1).empty());
  CHECK(memory.range(Gpa{4 * gib - 1}, 1).empty());
  CHECK(memory.range(Gpa{4 * gib - 1}, 2).empty());
  CHECK(memory.range(Gpa{4 * gib}, 2 * gib).size() == 2 * gib);
  CHECK(memory.range(Gpa{4 * gib}, 2 * gib).data() == memory.regions()[1].bytes.data());
  CHECK(memory.range(Gpa{4 * gib}, 2 * gib + 1).empty());
  CHECK(memory.range(Gpa{6 * gib - 1}, 1).size() == 1);
  CHECK(memory.range(Gpa{6 * gib}, 1).empty());
  CHECK(memory.range(Gpa{0}, 5 * gib).empty());  // a range never spans the hole
  CHECK(memory.range(Gpa{0}, 6 * gib).empty());
  CHECK(memory.range(Gpa{4 * gib}, greatest).empty());
}

TEST_CASE("what is written is what is read, at the ends of both regions") {
  GuestMemory memory(5 * gib);
  for (const std::uint64_t at : {std::uint64_t{0}, 3 * gib - 4, 4 * gib, 6 * gib - 4}) {
    CAPTURE(at);
    const std::array<std::byte, 4> written = bytes(1, 2, 3, static_cast<unsigned>(at >> 30));
    CHECK(memory.write(Gpa{at}, written));
    std::array<std::byte, 4> was_read{};
    CHECK(memory.read(Gpa{at}, was_read));
    CHECK(was_read == written);
  }
}

TEST_CASE("a copy that does not fit copies nothing") {
  GuestMemory memory(mib);
  const std::array<std::byte, 4> written = bytes(1, 2, 3, 4);
  CHECK_FALSE(memory.write(Gpa{mib - 3}, written));
  CHECK(memory.load<std::uint16_t>(Gpa{mib - 2}) == 0);
  CHECK_FALSE(memory.write(Gpa{mib}, written));
  CHECK_FALSE(memory.write(Gpa{greatest - 1}, written));

  std::array<std::byte, 4> was_read = bytes(9, 9, 9, 9);
  CHECK_FALSE(memory.read(Gpa{mib - 3}, was_read));
  CHECK_FALSE(memory.read(Gpa{greatest - 1}, was_read));
  CHECK(was_read == bytes(9, 9, 9, 9));
}

TEST_CASE("values are little-endian and of any alignment") {
  GuestMemory memory(mib);
  CHECK(memory.store(Gpa{0x1001}, std::uint32_t{0x1234'5678}));
  CHECK(memory.load<std::uint8_t>(Gpa{0x1001}) == 0x78);
  CHECK(memory.load<std::uint8_t>(Gpa{0x1004}) == 0x12);
  CHECK(memory.load<std::uint32_t>(Gpa{0x1001}) == 0x1234'5678u);
  CHECK(memory.load<std::uint16_t>(Gpa{0x1003}) == 0x1234);
}

TEST_CASE("a value that is not all in RAM is neither loaded nor stored") {
  GuestMemory memory(5 * gib);
  CHECK(memory.store(Gpa{3 * gib - 8}, greatest));
  CHECK(memory.load<std::uint64_t>(Gpa{3 * gib - 8}) == greatest);
  for (const std::uint64_t at :
       {3 * gib - 7, 3 * gib - 1, 3 * gib, 4 * gib - 1, 6 * gib - 7, 6 * gib, greatest - 7, greatest}) {
    CAPTURE(at);
    CHECK_FALSE(memory.store(Gpa{at}, std::uint64_t{0}));
    CHECK(memory.load<std::uint64_t>(Gpa{at}) == std::nullopt);
  }
  CHECK(memory.load<std::uint64_t>(Gpa{3 * gib - 8}) == greatest);  // untouched by the stores refused
}

TEST_CASE("a range with a forbidden byte is no RAM any more") {
  GuestMemory memory(2 * mib);
  REQUIRE(memory.store(Gpa{mib}, std::uint32_t{42}));
  memory.forbid(Gpa{mib}, 4 * kib);
  CHECK(memory.range(Gpa{mib}, 1).empty());
  CHECK(memory.range(Gpa{mib - 1}, 2).empty());
  CHECK(memory.range(Gpa{mib + 4 * kib - 1}, 1).empty());
  CHECK(memory.range(Gpa{mib - 4 * kib}, 12 * kib).empty());
  CHECK_FALSE(memory.load<std::uint32_t>(Gpa{mib}));
  CHECK_FALSE(memory.store(Gpa{mib + 4 * kib - 2}, std::uint32_t{1}));
  CHECK(memory.range(Gpa{mib - 4}, 4).size() == 4);
  CHECK(memory.range(Gpa{mib + 4 * kib}, 4).size() == 4);
}
