/// What from_json refuses, and what it says.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using Catch::Contains;
using Catch::StartsWith;
using Json = nlohmann::json;
using Pointer = Json::json_pointer;

/// The message with which `text` is refused; "" if it is not.
std::string refusal_of_text(const std::string& text) {
  try {
    (void)from_json(text, "r.json");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

Json sample() {
  return Json::parse(to_json(testing::rich_report()));
}

/// The refusal of the sample with `value` at `place`.
std::string refusal(const std::string& place, const Json& value) {
  Json json = sample();
  json[Pointer(place)] = value;
  return refusal_of_text(json.dump());
}

TEST_CASE("the sample as it is is read") {
  CHECK(refusal_of_text(sample().dump()).empty());
}

TEST_CASE("the name of a traced register is that of a port or an address, and whole") {
  const Json traced = Json::parse(to_json(testing::traced_report()));
  const Pointer port("/hardware/vcpus/0/details/0"), fault("/hardware/vcpus/0/details/1");
  CHECK(traced[port]["device"] == "uart0");
  CHECK(traced[port]["register"] == "THR");
  const auto refused = [&](const Pointer& detail, const char* member, const Json& value) {
    Json json = traced;
    if (value.is_null()) {
      json[detail].erase(member);
    } else {
      json[detail]["device"] = json[detail][member] = value;
    }
    return refusal_of_text(json.dump());
  };
  CHECK_THAT(refused(port, "register", nullptr), Contains("a device and a register come together"));
  CHECK_THAT(refused(fault, "register", "PAGE"), Contains("only a port or an address has a device"));
}

TEST_CASE("another version is refused by its number") {
  CHECK(
      refusal("/version", 3) ==
      "r.json: not a kvmbench report: at /version: version 3 is newer; this kvmbench reads versions 1 to 2");
  CHECK_THAT(refusal("/version", 0), Contains("at /version: version 0; this kvmbench reads"));
  CHECK_THAT(refusal("/version", "1"), Contains("at /version"));
  CHECK_THAT(refusal("/format", "fio"), Contains("at /format"));
}

TEST_CASE("a report of version 1 has no section that came later") {
  CHECK_THAT(refusal("/version", 1), Contains("is not known here"));
}

TEST_CASE("operations are counted once a device and stay below 2^64 together") {
  const std::string place = "/operations/0/counts/1/";
  CHECK_THAT(refusal("/operations/1/device", "virtio-blk0"), Contains("this device comes twice"));
  CHECK_THAT(refusal(place + "name", "requests"), Contains("this operation comes twice"));
  CHECK_THAT(refusal(place + "count", -1), Contains("at /operations/0/counts/1/count: -1 where"));
  CHECK_THAT(refusal(place + "count", ~0ull), Contains("passes 2^64"));
  CHECK_THAT(refusal("/operations/0/extra", 1), Contains("\"extra\" is not known"));
  CHECK_THAT(refusal("/devices", "uart0"), Contains("at /devices: \"uart0\" where an array"));
  CHECK_THAT(refusal("/runs", 0), Contains("at /runs: 0 where an integer from 1"));
}

TEST_CASE("text that is not JSON is refused") {
  CHECK_THAT(refusal_of_text(""), StartsWith("r.json: not JSON: "));
  CHECK_THAT(refusal_of_text("{\"format\": }"), StartsWith("r.json: not JSON: "));
  CHECK_THAT(refusal_of_text("\x1b[2J"), StartsWith("r.json: not JSON: "));
  CHECK(refusal_of_text("\x1b[2J").find('\x1b') == std::string::npos);
}

TEST_CASE("JSON that is no report is refused") {
  CHECK_THAT(refusal_of_text("[]"), Contains("at /: an array where an object belongs"));
  CHECK_THAT(refusal_of_text("{}"), Contains("\"format\" is missing"));
  CHECK_THAT(refusal_of_text("7"), Contains("an object belongs"));
}

TEST_CASE("a text cut short anywhere is refused") {
  const std::string text = sample().dump();
  for (std::size_t size = 0; size < text.size(); size += 7)
    CHECK_FALSE(refusal_of_text(text.substr(0, size)).empty());
}

TEST_CASE("text after the report is refused") {
  CHECK_THAT(refusal_of_text(sample().dump() + "{}"), StartsWith("r.json: not JSON: "));
}

TEST_CASE("every member is needed, and no other is taken") {
  // Of every object in the sample, one of each kind.
  for (const char* place :
       {"", "/buckets", "/machine/0", "/phases/1", "/vcpus/0", "/vcpus/0/keys/0", "/vcpus/0/keys/0/service",
        "/vcpus/0/keys/0/run", "/operations/0", "/operations/0/counts/0"}) {
    const Json object = sample()[Pointer(place)];
    for (const auto& [member, ignored] : object.items()) {
      if (member == "runs" || member == "devices" || member == "operations" || member == "sites") continue;
      Json json = sample();
      json[Pointer(place)].erase(member);
      CHECK_THAT(refusal_of_text(json.dump()), Contains("\"" + member + "\" is missing"));
    }
    CHECK_THAT(refusal(std::string(place) + "/extra", 1), Contains("\"extra\" is not known"));
  }
}

TEST_CASE("a value of the wrong type is refused with its place") {
  CHECK(refusal("/vcpus/1/keys/0/count", "12") ==
        "r.json: not a kvmbench report: at /vcpus/1/keys/0/count: \"12\" where an integer from 0 to "
        "18446744073709551615 belongs");
  CHECK_THAT(refusal("/vcpus", Json::object()), Contains("at /vcpus: an object where an array belongs"));
  CHECK_THAT(refusal("/host/0", "x"), Contains("at /host/0: \"x\" where an object belongs"));
  CHECK_THAT(refusal("/ending", 5), Contains("at /ending: 5 where a string belongs"));
  CHECK_THAT(refusal("/wall_seconds", nullptr), Contains("at /wall_seconds: null where a number"));
  CHECK_THAT(refusal("/vcpus/0/keys/0/direction", "up"),
             Contains("\"up\" where one of none, read, write belongs"));
  CHECK_THAT(refusal("/phases/0/kind", "begin"), Contains("at /phases/0/kind"));
  CHECK_THAT(refusal("/exit_status", 1.5), Contains("at /exit_status"));
}

TEST_CASE("numbers that cannot be are refused") {
  const std::string count = "/vcpus/0/keys/0/count";
  CHECK_THAT(refusal(count, -1), Contains("at " + count + ": -1 where"));
  CHECK_THAT(refusal(count, 1.0), Contains("at " + count + ": 1.0 where"));
  CHECK_THAT(refusal(count, 1e300), Contains("at " + count));
  CHECK_THAT(refusal("/vcpus/0/keys/0/width", 256), Contains("from 0 to 255"));
  CHECK_THAT(refusal("/vcpus/0/keys/0/reason", 1ull << 32), Contains("from 0 to 4294967295"));
  CHECK_THAT(refusal("/wall_seconds", -0.5), Contains("at /wall_seconds"));
  CHECK_THAT(refusal("/exit_status", 1ull << 31), Contains("at /exit_status"));
  CHECK_THAT(refusal("/exit_status", ~0ull), Contains("at /exit_status"));
}

TEST_CASE("numbers beyond JSON's own range are refused") {
  std::string text = sample().dump();
  const std::string member = "\"tsc_khz\":1000000";
  REQUIRE(text.find(member) != std::string::npos);
  for (const char* number : {"18446744073709551616", "NaN", "1e999", "-0", "0x10"}) {
    std::string changed = text;
    changed.replace(text.find(member), member.size(), std::string("\"tsc_khz\":") + number);
    INFO(number);
    CHECK_FALSE(refusal_of_text(changed).empty());
  }
}

TEST_CASE("sums that would pass 2^64 are refused") {
  Json json = sample();
  json["vcpus"][0]["keys"][0]["service"]["sum"] = ~0ull;
  json["vcpus"][0]["keys"][0]["service"]["max"] = ~0ull;
  CHECK_THAT(refusal_of_text(json.dump()), Contains("passes 2^64"));
  CHECK_THAT(refusal("/vcpus/0/keys/0/count", ~0ull), Contains("passes 2^64"));
  CHECK_THAT(refusal("/vcpus/0/exits", ~0ull), Contains("passes 2^64"));
  CHECK_THAT(refusal("/vcpus/0/kernel_exits", ~0ull), Contains("at /vcpus/1/kernel_exits: the report's sum"));
}

TEST_CASE("the kernel's count is an integer or null") {
  const std::string place = "/vcpus/1/kernel_exits";
  CHECK(refusal(place, nullptr).empty());
  CHECK(refusal(place, 0).empty());
  CHECK_THAT(refusal(place, -1), Contains("at " + place + ": -1 where"));
  CHECK_THAT(refusal(place, "9"), Contains("at " + place + ": \"9\" where an integer"));
  CHECK_THAT(refusal(place, false), Contains("at " + place + ": false where"));
}

TEST_CASE("a histogram's buckets are in range, in order, not empty and make the count") {
  const std::string place = "/vcpus/0/keys/0/service/histogram";
  CHECK_THAT(refusal(place, Json::parse("[[593, 2000]]")), Contains("at " + place + "/0/0: 593 where"));
  CHECK_THAT(refusal(place, Json::parse("[[5, 1], [5, 1999]]")), Contains("ascending"));
  CHECK_THAT(refusal(place, Json::parse("[[6, 1], [5, 1999]]")), Contains("ascending"));
  CHECK_THAT(refusal(place, Json::parse("[[5, 0], [6, 2000]]")), Contains("at " + place + "/0/1"));
  CHECK_THAT(refusal(place, Json::parse("[[5, 1999]]")), Contains("not the sum of the histogram"));
  CHECK_THAT(refusal(place, Json::parse("[[5]]")), Contains("pair"));
  CHECK_THAT(refusal(place, Json::parse("[[5, 1, 1]]")), Contains("at most 2"));
}

TEST_CASE("a least value above the greatest is refused") {
  CHECK_THAT(refusal("/vcpus/0/keys/0/run/min", 21'001), Contains("at /vcpus/0/keys/0/run/min"));
}

TEST_CASE("another bucket scheme is refused") {
  CHECK_THAT(refusal("/buckets/sub_bits", 5), Contains("bucket scheme"));
}

TEST_CASE("a phase that is not there is refused") {
  CHECK_THAT(refusal("/vcpus/0/keys/0/phase", 3),
             Contains("at /vcpus/0/keys/0/phase: there is no such phase"));
  CHECK_THAT(refusal("/vcpus/0/keys/0/phase", 65'536), Contains("from 0 to 65535"));
}

TEST_CASE("what may come once does not come twice") {
  CHECK_THAT(refusal("/vcpus/1/vcpu", 0), Contains("this vCPU comes twice"));
  Json json = sample();
  json["vcpus"][0]["keys"][1] = json["vcpus"][0]["keys"][0];
  CHECK_THAT(refusal_of_text(json.dump()), Contains("at /vcpus/0/keys/1: this key comes twice"));
  std::string text = sample().dump();
  text.insert(1, "\"version\":1,");
  CHECK_THAT(refusal_of_text(text), Contains("member \"version\" comes twice"));
}

TEST_CASE("a key with two names is refused") {
  CHECK_THAT(refusal("/vcpus/1/keys/0/device", "uart7"), Contains("at /vcpus/1/keys/0: another device"));
}

TEST_CASE("deep nesting is refused before it is followed") {
  const std::size_t levels = 1'000'000;
  CHECK_THAT(refusal_of_text(std::string(levels, '[')), Contains("nested too deeply"));
  CHECK_THAT(refusal_of_text("{\"format\":" + std::string(levels, '[')), Contains("nested too deeply"));
}

}  // namespace
}  // namespace kvmbench::report
