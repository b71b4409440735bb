#include "devices/exit_count_page.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

namespace kvmbench {
namespace {

class GivenCounts final : public stats::ExitCounts {
 public:
  stats::Tally all_exits;
  std::vector<stats::ReasonTally> reasons;

  stats::Tally all() const noexcept override { return all_exits; }
  stats::Tally userspace(std::uint32_t) const noexcept override { return {}; }
  stats::Spread userspace_spread(std::uint32_t) const noexcept override { return {}; }
  stats::Tally hardware(std::uint32_t) const noexcept override { return {}; }
  stats::Spread hardware_spread(std::uint32_t) const noexcept override { return {}; }
  std::size_t list(std::span<stats::ReasonTally> to) const noexcept override {
    for (std::size_t i = 0; i < reasons.size() && i < to.size(); ++i) to[i] = reasons[i];
    return reasons.size();
  }
};

struct Fixture {
  kvmbench_page seen;
  std::span<std::byte> memory = std::as_writable_bytes(std::span(&seen, 1));
  GivenCounts counts;

  Fixture() { std::fill(memory.begin(), memory.end(), std::byte{0xee}); }
};

TEST_CASE_METHOD(Fixture, "a page that was never refreshed has a header and no counts") {
  const ExitCountPage page(memory, 3);
  CHECK(seen.magic == 0x50626d6b);
  CHECK(seen.abi == 1);
  CHECK(seen.vcpu == 3);
  CHECK(seen.flags == 0);
  CHECK(seen.sequence == 0);
  CHECK(seen.entries == 0);
  CHECK(seen.exits == 0);
}

TEST_CASE_METHOD(Fixture, "a refreshed page holds the totals and one entry a reason") {
  ExitCountPage page(memory, 0);
  counts.all_exits = {0x1'0000'0001, 0x2'0000'0002};
  counts.reasons = {{0x10002, {5, 50}}, {0x10006, {0x7'0000'0000, 0x8'0000'0000}}};
  page.refresh(counts);
  CHECK(seen.sequence == 2);
  CHECK(seen.exits == 0x1'0000'0001);
  CHECK(seen.cycles == 0x2'0000'0002);
  REQUIRE(seen.entries == 2);
  CHECK(seen.missing == 0);
  CHECK(seen.table[0].reason == 0x10002);
  CHECK(seen.table[0].count == 5);
  CHECK(seen.table[0].cycles == 50);
  CHECK(seen.table[1].reason == 0x10006);
  CHECK(seen.table[1].count == 0x7'0000'0000);
  CHECK(seen.table[1].cycles == 0x8'0000'0000);
}

TEST_CASE_METHOD(Fixture, "a page says whether it is kept") {
  ExitCountPage page(memory, 0);
  page.keep(true);
  CHECK(page.kept());
  CHECK(seen.flags == KVMBENCH_PAGE_KEPT);
  page.keep(false);
  CHECK_FALSE(page.kept());
  CHECK(seen.flags == 0);
  CHECK(seen.sequence == 4);
}

TEST_CASE_METHOD(Fixture, "reasons that find no room are counted as missing") {
  ExitCountPage page(memory, 0);
  for (std::uint32_t reason = 0; reason < 170; ++reason) counts.reasons.push_back({reason, {reason + 1, 1}});
  page.refresh(counts);
  CHECK(seen.entries == 168);
  CHECK(seen.missing == 2);
  CHECK(seen.table[167].reason == 167);
  CHECK(seen.table[167].count == 168);
}

TEST_CASE_METHOD(Fixture, "what a guest writes into its page does not matter to the next refresh") {
  ExitCountPage page(memory, 0);
  std::fill(memory.begin(), memory.end(), std::byte{0xff});
  counts.all_exits = {1, 2};
  counts.reasons = {{0x10002, {1, 2}}};
  page.refresh(counts);
  CHECK(seen.sequence == 2);
  CHECK(seen.entries == 1);
  CHECK(seen.missing == 0);
  CHECK(seen.exits == 1);
  CHECK(seen.table[0].count == 1);
}

TEST_CASE_METHOD(Fixture, "a page needs its whole, aligned memory") {
  CHECK_THROWS_AS(ExitCountPage(memory.first(4095), 0), std::logic_error);
  std::vector<std::uint64_t> other(513);
  const auto bytes = std::as_writable_bytes(std::span(other));
  CHECK_THROWS_AS(ExitCountPage(bytes.subspan(4, 4096), 0), std::logic_error);
}

TEST_CASE_METHOD(Fixture, "a reader that sees an even, unchanged sequence has read counts of one instant") {
  ExitCountPage page(memory, 0);
  counts.reasons = {{0x10002, {0, 0}}};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t n = 1; n <= 200'000; ++n) {
      counts.all_exits = {n, 3 * n};
      counts.reasons[0].tally = {5 * n, 7 * n};
      page.refresh(counts);
    }
    stop = true;
  });
  const auto load = [](auto& field) { return std::atomic_ref(field).load(std::memory_order_relaxed); };
  std::uint64_t consistent = 0;
  std::uint64_t mixed = 0;
  for (bool last = false; !last;) {
    last = stop;
    const std::uint32_t before = std::atomic_ref(seen.sequence).load(std::memory_order_acquire);
    const std::uint64_t n = load(seen.exits);
    const bool agree = load(seen.cycles) == 3 * n && load(seen.table[0].count) == 5 * n &&
                       load(seen.table[0].cycles) == 7 * n;
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 != 0 || load(seen.sequence) != before) continue;
    ++consistent;
    if (!agree) ++mixed;
  }
  writer.join();
  CHECK(mixed == 0);
  CHECK(consistent > 0);
}

}  // namespace
}  // namespace kvmbench
