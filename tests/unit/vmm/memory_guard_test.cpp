#include "vmm/memory_guard.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "vmm/linux_kvm.hpp"

using namespace kvmbench;

namespace {

using Kind = GuardedRange::Kind;
using Action = GuardedRange::Action;

constexpr std::uint64_t mib = 1 << 20, page = 4096;

GuardedRange range(std::uint64_t first, std::uint64_t length, Kind kind, Action action = Action::report) {
  return {.first = Gpa{first}, .length = length, .kind = kind, .action = action};
}

Action write(MemoryGuard& guard, std::uint64_t address, std::uint64_t value, unsigned width) {
  std::array<std::byte, 8> data{};
  std::memcpy(data.data(), &value, sizeof value);
  return guard.serve({address, Direction::write, width, data.data(), 3, 0x1234, 100});
}

std::uint64_t read(MemoryGuard& guard, std::uint64_t address, unsigned width) {
  std::uint64_t value = 0;
  (void)guard.serve({address, Direction::read, width, reinterpret_cast<std::byte*>(&value), 3, 0x1234, 100});
  return value;
}

}  // namespace

TEST_CASE("without ranges, each region of RAM is one slot without flags") {
  const GuestMemory memory(4 * mib);
  const MemoryGuard guard(memory, {});
  CHECK(guard.empty());
  const auto slots = guard.slots();
  REQUIRE(slots.size() == 1);
  CHECK(slots[0].start == Gpa{0});
  CHECK(slots[0].bytes.size() == 4 * mib);
  CHECK(slots[0].flags == 0);
  CHECK_FALSE(slots[0].range);
}

TEST_CASE("what is off limits has no slot, and what is read-only or watched one of its own") {
  const GuestMemory memory(4 * mib);
  const MemoryGuard guard(
      memory, {range(2 * mib, page, Kind::read_only), range(mib, page, Kind::off_limits),
               range(mib + page, page, Kind::watched_ring), range(4 * mib - page, page, Kind::watched_exit)});
  struct Expected {
    std::uint64_t start, size;
    std::uint32_t flags;
  };
  const std::array<Expected, 6> expected = {{{0, mib, 0},
                                             {mib + page, page, KVM_MEM_LOG_DIRTY_PAGES},
                                             {mib + 2 * page, mib - 2 * page, 0},
                                             {2 * mib, page, KVM_MEM_READONLY},
                                             {2 * mib + page, 2 * mib - 2 * page, 0},
                                             {4 * mib - page, page, KVM_MEM_READONLY}}};
  const auto slots = guard.slots();
  REQUIRE(slots.size() == expected.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    CAPTURE(i);
    CHECK(slots[i].start == Gpa{expected[i].start});
    CHECK(slots[i].bytes.size() == expected[i].size);
    CHECK(slots[i].flags == expected[i].flags);
    CHECK(slots[i].bytes.data() == memory.regions()[0].bytes.data() + expected[i].start);
    CHECK(slots[i].range.has_value() == (expected[i].flags != 0));
  }
}

TEST_CASE("a read of what is off limits gives ones, and a write changes nothing") {
  GuestMemory memory(4 * mib);
  REQUIRE(memory.store(Gpa{mib}, std::uint64_t{0x1122334455667788}));
  MemoryGuard guard(memory, {range(mib, page, Kind::off_limits)});
  CHECK(guard.covers(mib));
  CHECK(guard.covers(mib + page - 1));
  CHECK_FALSE(guard.covers(mib - 1));
  CHECK_FALSE(guard.covers(mib + page));
  CHECK(read(guard, mib, 4) == 0xffffffff);
  CHECK(read(guard, mib, 8) == ~std::uint64_t{0});
  CHECK(write(guard, mib, 0x5a, 1) == Action::report);
  CHECK(memory.load<std::uint64_t>(Gpa{mib}) == 0x1122334455667788u);
  const stats::GuardedAccount account = guard.account();
  REQUIRE(account.ranges.size() == 1);
  CHECK(account.ranges[0] == stats::GuardedMemory{mib, mib + page - 1, "none,action=report", 2, 1, 0});
  REQUIRE(account.accesses.size() == 3);
  CHECK(account.accesses[2] ==
        stats::MemoryAccess{100, mib, Direction::write, 1, 3u, std::uint64_t{0x5a}, std::uint64_t{0x1234}});
  CHECK_FALSE(account.accesses[0].value);
}

TEST_CASE("a write to watched memory is done, whatever its width and place") {
  GuestMemory memory(4 * mib);
  MemoryGuard guard(memory, {range(mib, page, Kind::watched_exit)});
  for (const unsigned width : {1u, 2u, 3u, 4u, 5u, 7u, 8u}) {
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1}, page - width}) {
      CAPTURE(width, offset);
      REQUIRE(memory.write(Gpa{mib}, std::vector<std::byte>(page)));
      CHECK(write(guard, mib + offset, 0x1122334455667788, width) == Action::report);
      std::uint64_t written = 0;
      REQUIRE(memory.read(Gpa{mib + offset}, std::as_writable_bytes(std::span(&written, 1)).first(width)));
      CHECK(written == (0x1122334455667788 & all_ones(width)));
      CHECK(guard.account().accesses.back().value == written);
    }
  }
  CHECK(guard.account().ranges[0].writes == 21);
}

TEST_CASE("what follows an access is as the range says") {
  const GuestMemory memory(4 * mib);
  MemoryGuard guard(memory, {range(mib, page, Kind::off_limits, Action::inject),
                             range(2 * mib, page, Kind::read_only, Action::stop)});
  CHECK(guard.injects());
  CHECK(write(guard, mib, 0, 4) == Action::inject);
  CHECK(write(guard, 2 * mib, 0, 4) == Action::stop);
  guard.told(mib);
  CHECK(guard.account().ranges[0].told == 1);
  CHECK(guard.account().ranges[1].told == 0);
  CHECK(guard.device_at(mib)->name() == "protected");
  CHECK(guard.device_at(mib)->register_name(0, Direction::read) == "none");
  CHECK(guard.device_at(2 * mib)->register_name(0, Direction::write) == "ro");
  CHECK(guard.device_at(3 * mib) == nullptr);
}

TEST_CASE("the list is bounded, and what finds no room is counted") {
  const GuestMemory memory(4 * mib);
  MemoryGuard guard(memory, {range(mib, page, Kind::read_only)});
  for (std::size_t i = 0; i < MemoryGuard::most_listed + 10; ++i) (void)write(guard, mib, i, 8);
  const stats::GuardedAccount account = guard.account();
  CHECK(account.accesses.size() == MemoryGuard::most_listed);
  CHECK(account.accesses.back().value == MemoryGuard::most_listed - 1);
  CHECK(account.further == 10);
  CHECK(account.ranges[0].writes == MemoryGuard::most_listed + 10);
}

TEST_CASE("a page that is found modified is listed without what the log does not tell") {
  const GuestMemory memory(4 * mib);
  MemoryGuard guard(memory, {range(mib, 2 * page, Kind::watched_bitmap)});
  guard.modified(0, mib + page, {}, 42);
  const stats::GuardedAccount account = guard.account();
  REQUIRE(account.accesses.size() == 1);
  CHECK(account.accesses[0] == stats::MemoryAccess{42, mib + page, Direction::write, 0, {}, {}, {}});
  CHECK(account.ranges[0].rule == "watch,by=bitmap");
  CHECK(account.ranges[0].writes == 1);
}

TEST_CASE("ranges that are no RAM, that share a page or that are too many are refused") {
  const GuestMemory memory(4 * mib);
  CHECK_THROWS_AS(MemoryGuard(memory, {range(4 * mib, page, Kind::off_limits)}), UsageError);
  CHECK_THROWS_AS(MemoryGuard(memory, {range(4 * mib - page, 2 * page, Kind::off_limits)}), UsageError);
  CHECK_THROWS_AS(MemoryGuard(memory, {range(mib, 2 * page, Kind::off_limits),
                                       range(mib + page, page, Kind::watched_exit)}),
                  UsageError);
  std::vector<GuardedRange> many;
  for (std::size_t i = 0; i <= most_guarded_ranges; ++i)
    many.push_back(range(mib + i * page, page, Kind::off_limits));
  CHECK_THROWS_AS(MemoryGuard(memory, many), UsageError);
}
