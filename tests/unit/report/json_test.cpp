#include <linux/kvm.h>

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;
using Json = nlohmann::json;

Json written(const Report& report) {
  return Json::parse(to_json(report));
}

TEST_CASE("a report read back is the report that was written") {
  const Report report = rich_report();
  const Report read = from_json(to_json(report), "r.json");
  CHECK(read.snapshot == report.snapshot);
  CHECK(read.kvmbench_version == report.kvmbench_version);
  CHECK(read.started == report.started);
  CHECK(read.wall_seconds == report.wall_seconds);
  CHECK(read.host == report.host);
  CHECK(read.machine == report.machine);
  CHECK(read.ending == report.ending);
  CHECK(read.exit_status == report.exit_status);
  CHECK(read.runs == report.runs);
  CHECK(read.devices == report.devices);
  for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    for (const stats::KeyStats& key : vcpu.keys) CHECK(read.name_of(key.key) == report.name_of(key.key));
  }
}

TEST_CASE("writing what was read gives the same text") {
  for (const Report& report : {rich_report(), report_of({})}) {
    const std::string text = to_json(report);
    CHECK(to_json(from_json(text, "r.json")) == text);
  }
}

TEST_CASE("numbers up to 2^64 - 1 are exact") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1, 10, 10)});
  stats::KeyStats& key = report.snapshot.vcpus[0].keys[0];
  key.service.sum = key.service.max = std::numeric_limits<std::uint64_t>::max() - 20;
  report.snapshot.taken = std::numeric_limits<std::uint64_t>::max();
  CHECK(written(report)["vcpus"][0]["keys"][0]["service"]["sum"] == 18'446'744'073'709'551'595u);
  CHECK(from_json(to_json(report), "r.json").snapshot == report.snapshot);
}

TEST_CASE("a negative exit status and a fraction of a second come back") {
  Report report = report_of({});
  report.exit_status = -2;
  report.wall_seconds = 0.1;
  CHECK(from_json(to_json(report), "r.json").exit_status == -2);
  CHECK(from_json(to_json(report), "r.json").wall_seconds == 0.1);
}

TEST_CASE("a key has its identity, name and figures") {
  const Json key = written(rich_report())["vcpus"][0]["keys"][0];
  CHECK(key["reason"] == KVM_EXIT_IO);
  CHECK(key["address"] == 0x3f8);
  CHECK(key["direction"] == "write");
  CHECK(key["width"] == 1);
  CHECK(key["device"] == "uart0");
  CHECK(key["register"] == "THR");
  CHECK(key["count"] == 2'000);
  for (const char* figure : {"min", "mean", "p50", "p90", "p99", "p99.9", "max"}) {
    CHECK(key["service"][figure] == 3'000);
    CHECK(key["run"][figure] == 21'000);
  }
  CHECK(key["service"]["sum"] == 6'000'000);
  // 3000 is in [2944, 3072): power 11, the 8th of 16, so bucket (11 - 4) * 16 + 16 + 7.
  CHECK(key["service"]["histogram"] == Json::parse("[[135, 2000]]"));
}

TEST_CASE("totals and reasons are sums over the keys of all vCPUs") {
  const Json json = written(rich_report());
  CHECK(json["exits"] == 2'065);
  CHECK(json["totals"]["count"] == 2'065);
  CHECK(json["totals"]["transfers"] == 2'758);
  std::uint64_t count = 0;
  for (const Json& reason : json["by_reason"]) count += reason["count"].get<std::uint64_t>();
  CHECK(count == 2'065);
  CHECK(json["by_reason"][0]["name"] == "KVM_EXIT_IO");
  CHECK(json["by_reason"][0]["count"] == 2'000 + 7 + 12 + 5 + 3);
}

TEST_CASE("the kernel's counts are each vCPU's and their sum, null where there is none") {
  Report report = rich_report();
  CHECK(written(report)["vcpus"][0]["kernel_exits"] == 12'054);
  CHECK(written(report)["vcpus"][1]["kernel_exits"] == 9);
  CHECK(written(report)["kernel_exits"] == 12'063);

  report.snapshot.vcpus[1].kernel_exits.reset();
  CHECK(written(report)["vcpus"][0]["kernel_exits"] == 12'054);
  CHECK(written(report)["vcpus"][1]["kernel_exits"].is_null());
  CHECK(written(report)["kernel_exits"].is_null());
  CHECK(from_json(to_json(report), "r.json").snapshot == report.snapshot);
}

TEST_CASE("every key is one line, and the text is ASCII without control characters") {
  Report report = rich_report();
  report.ending = "\x7f\u009b\u202eÄ";
  const std::string text = to_json(report);
  CHECK(text.find("\n        {\"phase\":0,\"reason\":2,") != std::string::npos);
  for (const char c : text) CHECK(((c >= 0x20 && c < 0x7f) || c == '\n'));
  CHECK(from_json(text, "r.json").ending == report.ending);
}

TEST_CASE("a string that is not UTF-8 is written with replacement characters") {
  Report report = report_of({});
  report.machine = {{"image", "a\xff"}};
  CHECK(from_json(to_json(report), "r.json").machine[0].second == "a\ufffd");
}

TEST_CASE("an interval is one line of counts and cycles by key over all vCPUs") {
  const std::string line = to_json_line(rich_report().snapshot, 3);
  CHECK(line.find('\n') == std::string::npos);
  const Json json = Json::parse(line);
  CHECK(json["interval"] == 3);
  CHECK(json["began"] == 1'000);
  CHECK(json["taken"] == 2'350'001'000);
  CHECK(json["exits"] == 2'065);
  CHECK(json["kernel_exits"] == 12'063);
  CHECK(json["vcpus"] == Json::parse(R"([{"vcpu": 0, "exits": 2054, "kernel_exits": 12054},
      {"vcpu": 1, "exits": 11, "kernel_exits": 9}])"));
  CHECK(json["keys"].size() == 9);
  CHECK(json["keys"][0] ==
        Json::parse(R"({"phase": 0, "phase_name": "start", "reason": 2, "reason_name": "io",
      "address": 1016, "direction": "write", "width": 1, "count": 2003, "transfers": 2003, "service": 6007500,
      "run": 42060000})"));
}

TEST_CASE("an operation stands beside the exits at its device") {
  CHECK(written(rich_report())["operations"] == Json::parse(R"([
      {"device": "virtio-blk0", "exits": 30, "service": 1350000, "run": 2700000,
       "counts": [{"name": "requests", "count": 60}, {"name": "bytes", "count": 245760}]},
      {"device": "e1000.0", "exits": 0, "service": 0, "run": 0, "counts": [{"name": "packets", "count": 0}]}])"));
}

Report without_sites() {
  Report report = rich_report();
  for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) vcpu.sites.clear();
  return report;
}

TEST_CASE("a report of version 1 is read, and what it lacks is empty") {
  Json json = written(rich_report());
  json["version"] = 1;
  for (const char* section : {"runs", "devices", "operations", "kernel", "hardware", "sites"})
    json.erase(section);
  const Report read = from_json(json.dump(), "r.json");
  CHECK(read.snapshot.vcpus == without_sites().snapshot.vcpus);
  CHECK(read.runs == 1);
  CHECK(read.devices.empty());
  CHECK(read.snapshot.operations.empty());
}

TEST_CASE("a report of version 2 may lack what came with it") {
  Json json = written(rich_report());
  for (const char* section : {"runs", "devices", "operations", "kernel", "hardware", "sites"})
    json.erase(section);
  CHECK(from_json(json.dump(), "r.json").snapshot.vcpus == without_sites().snapshot.vcpus);
}

TEST_CASE("an interval tells the operations that have come in it") {
  const Report report = rich_report();
  stats::Snapshot later = report.snapshot;
  later.operations[0].counts[0].count += 5;
  later.operations.push_back({"uart0", {{"characters", 3}}});
  const Json json = Json::parse(to_json_line(later - report.snapshot, 1));
  CHECK(json["operations"] == Json::parse(R"([
      {"device": "virtio-blk0", "counts": [{"name": "requests", "count": 5}]},
      {"device": "uart0", "counts": [{"name": "characters", "count": 3}]}])"));
}

TEST_CASE("an interval without exits is a line all the same") {
  const Json json = Json::parse(to_json_line(report_of({}).snapshot, 1));
  CHECK(json["exits"] == 0);
  CHECK(json["kernel_exits"].is_null());
  CHECK(json["vcpus"] == Json::parse(R"([{"vcpu": 0, "exits": 0, "kernel_exits": null}])"));
  CHECK(json["keys"] == Json::array());
}

}  // namespace
}  // namespace kvmbench::report
