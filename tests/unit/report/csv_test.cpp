#include <linux/kvm.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "report/formats.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("there is a row for every vCPU, phase and key") {
  const std::vector<std::string> lines = lines_of(to_csv(rich_report()));
  REQUIRE(lines.size() == 1 + 5 + 5 + 5);  // and the operations, below
  CHECK(
      lines[0].starts_with("vcpu,phase,phase_name,reason,reason_name,device,register,address,direction,width,"
                           "count,transfers,service_sum_cycles,service_min_cycles,service_mean_cycles,"
                           "service_p50_cycles,service_p90_cycles,service_p99_cycles,service_p99.9_cycles,"
                           "service_max_cycles,service_sum_ns,"));
}

TEST_CASE("a row has cycles and nanoseconds of service and of run time") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 4, 1'000, 30)});
  report.set_name(port(0x3f8, Direction::write, 1), {"uart0", "THR"});
  report.snapshot.tsc_khz = 2'000'000;
  CHECK(lines_of(to_csv(report))[1] ==
        "0,0,start,2,io,uart0,THR,0x3f8,write,1,4,4,"
        "4000,1000,1000.0,1000,1000,1000,1000,1000,2000.0,500.0,500.0,500.0,500.0,500.0,500.0,500.0,"
        "120,30,30.0,30,30,30,30,30,60.0,15.0,15.0,15.0,15.0,15.0,15.0,15.0");
}

TEST_CASE("fields with commas or quotes are quoted, quotes doubled") {
  const std::vector<std::string> lines = lines_of(to_csv(rich_report()));
  CHECK(lines[4].starts_with(
      "0,2,\"serial /log\\x1b[2Jin: |\"\"a,b\"\"/\",6,mmio,virtio-blk0,QueueNotify,0xfeb00050,"));
}

TEST_CASE("further keys have no address") {
  CHECK(lines_of(to_csv(rich_report()))[5].starts_with("0,0,start,2,io,,,further,none,0,5,5,"));
}

TEST_CASE("nanoseconds are empty where the TSC's frequency is not known") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1, 10, 10)});
  report.snapshot.tsc_khz = 0;
  CHECK(lines_of(to_csv(report))[1].ends_with(",10,10,10.0,10,10,10,10,10,,,,,,,,"));
}

TEST_CASE("operations are a table of their own after an empty line") {
  const std::vector<std::string> lines = lines_of(to_csv(rich_report()));
  REQUIRE(lines.size() == 16);
  CHECK(lines[11].empty());
  CHECK(lines[12] == "device,operation,count,exits,service_sum_cycles");
  CHECK(lines[13] == "virtio-blk0,requests,60,30,1350000");
  CHECK(lines[14] == "virtio-blk0,bytes,245760,30,1350000");
  CHECK(lines[15] == "e1000.0,packets,0,0,0");
}

TEST_CASE("a run without exits has the titles only") {
  CHECK(lines_of(to_csv(report_of({}))).size() == 1);
}

}  // namespace
}  // namespace kvmbench::report
