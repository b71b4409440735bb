#include "stats/exit_site.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

namespace kvmbench::stats {
namespace {

constexpr ExitKey uart{.address = 0x3f8, .reason = 2, .width = 1, .direction = Direction::write};
constexpr ExitKey mmio{.address = 0xfeb0'0000, .reason = 6, .width = 4, .direction = Direction::read};

TEST_CASE("exits are counted by key and instruction") {
  SiteTable table;
  table.record(uart, 0x1000, 10);
  table.record(uart, 0x1000, 30);
  table.record(uart, 0x2000, 5);
  table.record(mmio, 0x1000, 7);
  table.record(uart, 0x1000, 1);
  CHECK(table.snapshot() ==
        std::vector<SiteStats>{{{uart, 0x1000}, 3, 41}, {{uart, 0x2000}, 1, 5}, {{mmio, 0x1000}, 1, 7}});
}

TEST_CASE("a place is the same in all phases") {
  SiteTable table;
  ExitKey later = uart;
  later.phase = 7;
  table.record(uart, 0x1000, 1);
  table.record(later, 0x1000, 1);
  CHECK(table.snapshot() == std::vector<SiteStats>{{{uart, 0x1000}, 2, 2}});
}

TEST_CASE("when the table is full, further sites are counted together") {
  SiteTable table;
  for (std::uint64_t rip = 0; rip < SiteTable::most_sites + 10; ++rip) table.record(uart, rip, 2);
  table.record(uart, 5, 2);
  const std::vector<SiteStats> sites = table.snapshot();
  REQUIRE(sites.size() == SiteTable::most_sites + 1);
  CHECK(sites.back() == SiteStats{SiteTable::no_room, 10, 20});
  CHECK(sites[5] == SiteStats{{uart, 5}, 2, 4});
}

TEST_CASE("sites of several vCPUs are summed") {
  CHECK(by_site({{{uart, 2}, 1, 10}, {{uart, 1}, 2, 20}, {{mmio, 1}, 3, 30}, {{uart, 2}, 4, 40}}) ==
        std::vector<SiteStats>{{{uart, 1}, 2, 20}, {{uart, 2}, 5, 50}, {{mmio, 1}, 3, 30}});
}

TEST_CASE("what has come since is the difference, without the sites where nothing has") {
  const std::vector<SiteStats> earlier{{{uart, 1}, 2, 20}, {{uart, 2}, 1, 1}};
  const std::vector<SiteStats> later{{{uart, 1}, 5, 26}, {{uart, 2}, 1, 1}, {{mmio, 9}, 1, 3}};
  CHECK(grown_sites(later, earlier) == std::vector<SiteStats>{{{uart, 1}, 3, 6}, {{mmio, 9}, 1, 3}});
}

TEST_CASE("a snapshot while the vCPU records has no site twice and no count that falls") {
  SiteTable table;
  std::atomic<bool> end = false;
  std::thread writer([&] {
    for (std::uint64_t i = 0; !end; ++i) table.record(uart, i % 64, 1);
  });
  std::uint64_t before = 0;
  for (int i = 0; i < 200; ++i) {
    const std::vector<SiteStats> sites = table.snapshot();
    CHECK(by_site(sites).size() == sites.size());
    std::uint64_t now = 0;
    for (const SiteStats& site : sites) now += site.count;
    CHECK(now >= before);
    before = now;
  }
  end = true;
  writer.join();
}

}  // namespace
}  // namespace kvmbench::stats
