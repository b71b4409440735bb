#include "report/compare.hpp"

#include <linux/kvm.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "report/printable.hpp"
#include "report/service.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;
using Catch::Contains;
using Json = nlohmann::json;

constexpr stats::ExitKey register_at(std::uint64_t address) {
  return {.address = address, .reason = KVM_EXIT_MMIO, .width = 4, .direction = Direction::write};
}

/// A disk's registers, 100 exits of 2 us, and one exit of a port, which both machines have.
Report emulated() {
  const stats::ExitKey data = port(0x1f0, Direction::read, 2);
  Report report =
      report_of({exits(data, 100, 2'000, 9'000), exits(port(0x80, Direction::write, 1), 1, 50, 9)});
  report.set_name(data, {"ata0", "data"});
  report.snapshot.operations = {{"ata0", {{"requests", 10}, {"bytes", 40'960}}}};
  report.snapshot.vcpus[0].kernel_exits = 400;
  report.host = {{"cpu", "Example CPU"}, {"paging", "ept"}};
  return report;
}

/// The same by 10 exits of 1 us.
Report paravirtual() {
  Report report = report_of(
      {exits(register_at(0xd0000050), 10, 1'000, 9'000), exits(port(0x80, Direction::write, 1), 1, 50, 9)});
  report.set_name(register_at(0xd0000050), {"virtio-blk0", "QueueNotify"});
  report.snapshot.operations = {{"virtio-blk0", {{"requests", 20}, {"doorbells", 10}}}};
  report.snapshot.vcpus[0].kernel_exits = 100;
  report.host = {{"cpu", "Example CPU"}, {"paging", "ept"}};
  return report;
}

const ComparedRow& row(const std::vector<ComparedRow>& rows, const std::string& name) {
  for (const ComparedRow& row : rows) {
    if (row.name == name) return row;
  }
  FAIL("there is no row " << name);
  return rows.front();
}

/// With one space where columns have many.
std::string squeezed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || !out.ends_with(' ')) out += c;
  }
  return out;
}

TEST_CASE("reasons are compared, and the ratio is the second's by the first's") {
  const Report a = emulated(), b = paravirtual();
  const Comparison comparison = compare({{"emulated", &a}, {"paravirtual", &b}});
  CHECK(comparison.total.sides[0] == Sums{101, 200'050, 900'009});
  CHECK(comparison.total.sides[1] == Sums{11, 10'050, 90'009});
  const ComparedRow& io = row(comparison.reasons, "io");
  CHECK(io.sides[0]->count == 101);
  CHECK(io.sides[1]->count == 1);
  CHECK(count_ratio(io.sides[0], io.sides[1]) == Approx(1.0 / 101));
  const ComparedRow& mmio = row(comparison.reasons, "mmio");
  CHECK_FALSE(mmio.sides[0].has_value());
  CHECK_FALSE(count_ratio(mmio.sides[0], mmio.sides[1]).has_value());
  CHECK(comparison.hardware_exits == std::vector<std::optional<std::uint64_t>>{400, 100});
}

TEST_CASE("a device's register is one row wherever it is, an unnamed address is itself") {
  Report a = report_of({exits(register_at(0xd0000050), 5, 10, 10), exits(register_at(0x1000), 1, 10, 10)});
  a.set_name(register_at(0xd0000050), {"virtio-blk0", "QueueNotify"});
  Report b =
      report_of({exits(register_at(0xe0000050), 7, 10, 10), exits(register_at(0xd0000050), 2, 10, 10)});
  b.set_name(register_at(0xe0000050), {"virtio-blk0", "QueueNotify"});
  const Comparison comparison = compare({{"a", &a}, {"b", &b}});
  REQUIRE(comparison.keys.size() == 3);
  const ComparedRow& notify = row(comparison.keys, "virtio-blk0 QueueNotify write 4");
  CHECK(notify.sides[0]->count == 5);
  CHECK(notify.sides[1]->count == 7);
  CHECK_FALSE(row(comparison.keys, "gpa 0x1000 write 4").sides[1].has_value());
  CHECK_FALSE(row(comparison.keys, "gpa 0xd0000050 write 4").sides[0].has_value());
}

TEST_CASE("keys of all vCPUs and phases are one") {
  const Report report = rich_report();
  const Comparison comparison = compare({{"a", &report}, {"b", &report}});
  CHECK(row(comparison.keys, "uart0 THR out 1").sides[0]->count == 2'010);
}

TEST_CASE("the devices of a service are compared whatever their model") {
  const Report a = emulated(), b = paravirtual();
  const Comparison comparison = compare({{"emulated", &a}, {"paravirtual", &b}});
  REQUIRE(comparison.operations.size() == 3);
  const ComparedOperation& requests = comparison.operations[0];
  CHECK(requests.service == "disk");
  CHECK(requests.operation == "requests");
  CHECK(requests.sides[0]->devices == std::vector<std::string>{"ata0"});
  CHECK(requests.sides[0]->count == 10);
  CHECK(requests.sides[0]->exits.count == 100);
  CHECK(requests.sides[1]->devices == std::vector<std::string>{"virtio-blk0"});
  CHECK(requests.sides[1]->count == 20);
  CHECK_FALSE(comparison.operations[1].sides[1].has_value());  // bytes
  CHECK_FALSE(comparison.operations[2].sides[0].has_value());  // doorbells
}

TEST_CASE("a device's service follows from its name") {
  for (const char* disk : {"ata0", "virtio-blk12", "piix3-ide"}) CHECK(service_of(disk) == "disk");
  CHECK(service_of("e1000.0") == "network");
  CHECK(service_of("virtio-console0") == "console");
  CHECK(service_of("uart1") == "console");
  CHECK(service_of("uartx").empty());
  CHECK(service_of("rtc").empty());
}

TEST_CASE("figures are divided by a number of operations that is given or counted") {
  const Report a = emulated(), b = paravirtual();
  const std::vector<Side> sides{{"a", &a}, {"b", &b}};
  CHECK(compare(sides, Per::parse("requests=1000")).counts == std::vector<std::uint64_t>{1000, 1000});
  for (const char* per : {"requests", "disk requests"})
    CHECK(compare(sides, Per::parse(per)).counts == std::vector<std::uint64_t>{10, 20});
  CHECK_THROWS_WITH(compare(sides, Per::parse("packets")), Contains("--per packets: the devices of a have"));
  CHECK_THROWS_WITH(compare(sides, Per::parse("bytes")), Contains("the devices of b have counted none"));
  // 100 exits for 10 requests, and 10 for 20.
  const std::string text = squeezed(to_text(compare(sides, Per::parse("requests")), {.width = 120}));
  CHECK_THAT(text, Contains("ata0 data in 2 10.0 - - 20.0 µs"));
  CHECK_THAT(text, Contains("total 10.1 0.550 0.0545"));
}

TEST_CASE("what is divided by is a name and a number from 1") {
  for (const char* wrong : {"", "=5", "requests=", "requests=0", "requests=x", "requests=1.5", "requests=-1",
                            "requests=18446744073709551616"}) {
    INFO(wrong);
    CHECK_THROWS_AS(Per::parse(wrong), UsageError);
  }
}

TEST_CASE("reports of different hosts are refused by the facts that differ") {
  Report a = emulated(), b = paravirtual();
  CHECK_NOTHROW(require_same_host(host_differences({{"a", &a}, {"b", &b}})));
  b.host[1].second = "shadow (ept is off)";
  CHECK_THROWS_WITH(require_same_host(host_differences({{"a", &a}, {"b", &b}})),
                    Contains("which differ in paging (ept / shadow (ept is off)); --different-hosts"));
  b.host.pop_back();
  CHECK_THROWS_WITH(require_same_host(host_differences({{"a", &a}, {"b", &b}})),
                    Contains("paging (ept / -)"));
  const std::string text = to_text(compare({{"a", &a}, {"b", &b}}), {.width = 100});
  CHECK_THAT(text, Contains("Hosts differ in\n  paging  A: ept; B: -\n"));
}

TEST_CASE("a frequency that was measured twice is the same within a thousandth") {
  Report a = emulated(), b = paravirtual();
  b.snapshot.tsc_khz += 900;
  CHECK(compare({{"a", &a}, {"b", &b}}).host.empty());
  b.snapshot.tsc_khz = 2'000'000;
  const Comparison comparison = compare({{"a", &a}, {"b", &b}});
  REQUIRE(comparison.host.size() == 1);
  CHECK(comparison.host[0].name == "tsc frequency");
  // 1000 cycles at 1 GHz take as long as 2000 at 2 GHz.
  CHECK(time_ratio(comparison, 1'000, 2'000) == Approx(1.0));
}

TEST_CASE("the text of a comparison has both sides, their ratio, and each one's paging") {
  const Report a = emulated(), b = paravirtual();
  const std::string text =
      squeezed(to_text(compare({{"emulated", &a}, {"paravirtual", &b}}), {.width = 120}));
  CHECK_THAT(
      text,
      Contains(" A emulated: run of 2026-01-31T12:34:56Z, guest powered off after 2.35 s, exit status 0; "
               "paging ept"));
  CHECK_THAT(text, Contains("B has 0.109 times A's exits and 0.0502 times A's service time.\n"
                            "Hardware exits: A 400, B 100: 0.250 times as many.\n"
                            "Only in A: 1 key, 100 exits.\n"
                            "Only in B: 1 key, 10 exits.\n"));
  CHECK_THAT(text, Contains("disk requests A ata0 10 10.0 20.0 µs 10.1 40.0\n"));
  CHECK_THAT(text, Contains("disk requests B virtio-blk0 20 0.500 500 ns 0.550 5.00\n"));
}

TEST_CASE("no line of a comparison is wider than the terminal, from 40 columns on") {
  const Report a = emulated(), b = rich_report();
  for (const std::vector<Side>& sides :
       {std::vector<Side>{{"a", &a}, {"b\x1b[2J", &b}}, {{"a", &a}, {"b", &b}, {"c", &a}}}) {
    for (unsigned width = 40; width < 200; width += 7) {
      std::istringstream text(to_text(compare(sides), {.width = width}));
      for (std::string line; std::getline(text, line);) {
        INFO(width << ": " << line);
        CHECK(display_width(line) <= width);
        CHECK(line.find('\x1b') == std::string::npos);
      }
    }
  }
}

TEST_CASE("reports without exits are compared") {
  const Report none = report_of({});
  const Comparison comparison = compare({{"a", &none}, {"b", &none}});
  CHECK_THAT(to_text(comparison, {}),
             Contains("total        0        0    -       0 ns       0 ns         -"));
  CHECK(Json::parse(to_json(comparison))["total"]["count_ratio"].is_null());
}

TEST_CASE("Markdown and CSV have the same figures, and no markup of the reports' own") {
  Report a = emulated();
  const Report b = paravirtual();
  a.set_name(port(0x1f0, Direction::read, 2), {"ata|0", "<data>"});
  const Comparison comparison = compare({{"a,b", &a}, {"b", &b}});
  CHECK_THAT(to_markdown(comparison),
             Contains("| `io` | 101 | 1 | 0.00990 | 200 µs | 50.0 ns | 0.000250 |\n"));
  CHECK_THAT(to_markdown(comparison), Contains("| `ata\\|0 <data> in 2` | 100 | - | - | 200 µs | - | - |\n"));
  CHECK_THAT(to_csv(comparison), Contains("\"a,b\",reason,io,101,200050,900009,\n"));
  CHECK_THAT(to_csv(comparison), Contains("b,operation,disk requests,20,10000,90000,\n"));
}

TEST_CASE("several sides stand beside each other without ratios") {
  const Report a = emulated(), b = paravirtual();
  const std::string text = to_text(compare({{"a", &a}, {"b", &b}, {"c", &b}}), {.width = 120});
  CHECK_THAT(text, Contains("reason  A count  B count  C count  A service  B service  C service\n"));
  CHECK_THAT(text, Contains("mmio          -       10       10"));
}

// io 12,007 and npf 52 on the first side; hlt and an invalid state once each.
TEST_CASE("hardware exits are compared by reason, and a traced side without one has a count of 0") {
  const Report nested = traced_report();
  Report shadow = traced_report();
  shadow.snapshot.vcpus[0].traced->reasons[1].reason = 0x4e;  // #PF instead of NPF
  const Comparison comparison = compare({{"nested", &nested}, {"shadow", &shadow}});

  REQUIRE(comparison.hardware_reasons.size() == 5);
  CHECK(comparison.hardware_reasons[0].name == "IOIO");  // most exits first
  CHECK(comparison.hardware_reasons[0].sides[0]->count == 12'007);
  CHECK(comparison.hardware_reasons[0].sides[0]->nanoseconds == 2'000 * (11'999 + 7));
  for (const ComparedHardwareRow& row : comparison.hardware_reasons) {
    if (row.name == "NPF") CHECK((row.sides[0]->count == 52 && row.sides[1]->count == 0));
    if (row.name == "EXCP14") CHECK((row.sides[0]->count == 0 && row.sides[1]->count == 52));
  }
  CHECK(comparison.hardware_total.sides[0]->count == 12'061);
  CHECK(comparison.hardware_total.sides[1]->count == 12'061);
  CHECK_THAT(squeezed(to_text(comparison, {})),
             Contains("Hardware exits by reason") && Contains("NPF 52 0 0 - 0"));
  CHECK_THAT(to_markdown(comparison), Contains("| `IOIO` | 12,007 | 12,007 |"));
  const Json json = Json::parse(to_json(comparison));
  CHECK(json["by_hardware_reason"][0]["sides"][1]["count"] == 12'007);
}

// The disk's registers of emulated() and paravirtual(), and an address of no device's.
stats::TracedExits traced_at(const stats::HardwareDetail& detail, std::uint64_t count,
                             std::uint64_t nanoseconds) {
  const stats::HardwareDetail elsewhere{stats::HardwareDetail::Kind::mmio, Direction::write, 4, 0xdf000000};
  stats::TracedExits traced;
  traced.vendor = stats::Vendor::svm;
  traced.exits = count + 1;
  traced.reasons = {{0x7b, count + 1, 0, {}, {}}};
  traced.details = {{detail, count, count, nanoseconds}, {elsewhere, 1, 1, 1'000'000'000}};
  return traced;
}

TEST_CASE("an operation's out-of-guest time is that of all hardware exits at its devices' registers") {
  using Kind = stats::HardwareDetail::Kind;
  Report a = emulated(), b = paravirtual();
  a.snapshot.vcpus[0].traced = traced_at({Kind::port, Direction::read, 2, 0x1f0}, 100, 5'000'000);
  b.snapshot.vcpus[0].traced = traced_at({Kind::mmio, Direction::write, 4, 0xd0000050}, 10, 40'000);
  const Comparison comparison = compare({{"emulated", &a}, {"paravirtual", &b}});
  CHECK(comparison.operations[0].sides[0]->out_of_guest == 5'000'000u);
  CHECK(comparison.operations[0].sides[1]->out_of_guest == 40'000u);
  const std::string text = squeezed(to_text(comparison, {.width = 140}));
  CHECK_THAT(text, Contains("disk requests A ata0 10 10.0 20.0 µs 500 µs 10.1 40.0\n"));
  CHECK_THAT(text, Contains("disk requests B virtio-blk0 20 0.500 500 ns 2.00 µs 0.550 5.00\n"));
  CHECK_THAT(to_csv(comparison), Contains("paravirtual,operation,disk requests,20,10000,90000,40000\n"));
  CHECK(Json::parse(to_json(comparison))["operations"][0]["sides"][1]["out_of_guest"] == 40'000);
}

TEST_CASE("a side that was not traced has no hardware exits by reason") {
  const Report traced = traced_report(), untraced = emulated();
  const Comparison one = compare({{"traced", &traced}, {"not", &untraced}});
  CHECK(one.hardware_reasons[0].sides[0].has_value());
  CHECK_FALSE(one.hardware_reasons[0].sides[1].has_value());
  const Comparison none = compare({{"not", &untraced}, {"not either", &untraced}});
  CHECK(none.hardware_reasons.empty());
  CHECK_THAT(to_text(none, {}), !Contains("Hardware exits by reason"));
}

}  // namespace
}  // namespace kvmbench::report
