#include "report/sites.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("the places of a key are summed over vCPUs, most exits first") {
  const std::vector<SiteRow> rows = top_sites(rich_report(), 10);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].key == "uart0 THR out1");
  CHECK(rows[0].place == "print_char+0x12 (0x1000b2)");
  CHECK(rows[0].count == 1'503);
  CHECK(rows[0].of_key == 2'010);
  CHECK(rows[0].service == 4'507'500);
  CHECK(rows[1].place == "print_char+0x60 (0x100100)");
  CHECK(rows[2].key == "virtio-blk0 QueueNotify write4");
  CHECK(rows[2].place == "0x200000");
  CHECK(rows[3].key == "hlt");
}

TEST_CASE("of each key only so many places are shown as wanted") {
  CHECK(top_sites(rich_report(), 1).size() == 3);
}

TEST_CASE("places without room are shown as such") {
  Report report = report_of({});
  report.snapshot.vcpus[0].sites = {{stats::SiteTable::no_room, 7, 70}};
  const std::vector<SiteRow> rows = top_sites(report, 3);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].key == "further keys");
  CHECK(rows[0].place == "further places");
}

TEST_CASE("folded stacks have image, reason, key and function, and the exits") {
  CHECK(to_folded(rich_report()) ==
        "@hello;hlt;hlt;idle,<loop> 1\n"
        "@hello;io;uart0_THR_out1;print_char 2010\n"
        "@hello;mmio;virtio-blk0_QueueNotify_write4;0x200000 30\n");
}

TEST_CASE("without places there are no folded stacks, and nothing in the text") {
  Report report = rich_report();
  for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) vcpu.sites.clear();
  CHECK_THROWS_AS(to_folded(report), UsageError);
  CHECK_FALSE(contains(to_text(report, {}), "Where exits came from"));
  CHECK_FALSE(contains(to_json(report), "\"sites\""));
}

TEST_CASE("text and Markdown tell where exits came from") {
  CHECK(contains(to_text(rich_report(), {.width = 100}),
                 "uart0 THR out1                  print_char+0x12 (0x1000b2)  1,503      74.8"));
  CHECK(contains(to_markdown(rich_report(), false),
                 "| `uart0 THR out1` | `print_char+0x12 (0x1000b2)` | 1,503 | 74.8 | 4.51 ms |"));
}

TEST_CASE("places and symbols are saved and read back") {
  const Report read = from_json(to_json(rich_report()), "saved");
  CHECK(read.snapshot.vcpus[0].sites == rich_report().snapshot.vcpus[0].sites);
  CHECK(read.snapshot.vcpus[1].sites == rich_report().snapshot.vcpus[1].sites);
  CHECK(read.symbols == rich_report().symbols);
}

}  // namespace
}  // namespace kvmbench::report
