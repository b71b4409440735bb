#include "report/budget.hpp"

#include <fmt/format.h>
#include <linux/kvm.h>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;
using Catch::Contains;

/// Of the rich report; "!" before it where the expectation does not hold.
std::string measured(const std::string& expression, const Report& report = rich_report()) {
  const Outcome outcome = check(parse_expectation(expression, "--expect"), report);
  return (outcome.passed ? "" : "!") + outcome.measured;
}

/// The message with which it is refused, by the parser or of the rich report.
std::string refusal(const std::string& expression, const Report& report = rich_report()) {
  try {
    (void)check(parse_expectation(expression, "--expect"), report);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("exits are counted whole, by reason, device, key, phase and vCPU") {
  CHECK(measured("exits <= 2065") == "2,065");
  CHECK(measured("exits.count < 2065") == "!2,065");
  CHECK(measured("io.count == 2027") == "2,027");
  CHECK(measured("KVM_EXIT_MMIO.count <= 30") == "30");
  CHECK(measured("device(uart0).count == 2010") == "2,010");
  CHECK(measured("key(uart0 THR).count == 2010") == "2,010");
  CHECK(measured("key(uart0 THR out 1) == 2010") == "2,010");
  CHECK(measured("key(port 0x1234 in 4) == 12") == "12");
  CHECK(measured("key(port 4660) == 12") == "12");
  CHECK(measured("key(gpa 0xfeb00050 write) == 30") == "30");
  CHECK(measured("key(rdmsr 0xc0000080) == 4") == "4");
  CHECK(measured("phase(post 0x10).exits == 7") == "7");
  CHECK(measured("phase(post 0x10).io.transfers == 700") == "700");
  CHECK(measured("vcpu(1).io == 3") == "3");
  CHECK(measured("vcpu(0).device(uart0) == 2007") == "2,007");
  CHECK(measured("count != 2065") == "!2,065");
}

TEST_CASE("times are of all exits selected, in the unit of the limit") {
  // 1 GHz: a cycle is a nanosecond.
  CHECK(measured("key(virtio-blk0 QueueNotify).service.max <= 45us") == "45.0 µs");
  CHECK(measured("mmio.service <= 1350 us") == "1.35 ms");
  CHECK(measured("mmio.service.sum < 1350000 cycles") == "!1350000 cycles");
  CHECK(measured("mmio.service.p99.9 <= 45us") == "45.0 µs");
  CHECK(measured("vcpu(1).rdmsr.run.mean <= 0.019ms") == "19.0 µs");
  CHECK(measured("hlt.service.min >= 1s") == "!600 ns");
}

TEST_CASE("shares and rates") {
  CHECK(measured("mmio.share <= 1.5%") == "1.5 %");  // 30 of 2065
  CHECK(measured("exits.rate <= 879") == "879");     // 2065 in 2.35 s
  CHECK(measured("exits.rate <= 878") == "!879");
}

TEST_CASE("hardware exits are KVM's own count") {
  CHECK(measured("hardware <= 12063") == "12,063");
  CHECK(measured("vcpu(1).hardware.count <= 9") == "9");
  CHECK_THAT(refusal("hardware <= 1", report_of({})), Contains("keeps no count"));
  CHECK(measured("hardware.rate < 5134") == "5,133");  // in 2.35 s
  CHECK_THAT(refusal("io.hardware <= 1"), Contains("only vcpu() can be selected"));
  CHECK_THAT(refusal("hardware.service <= 1us"), Contains("\"service\" is no exit reason of VMX or SVM"));
}

TEST_CASE("hardware exits by reason are those that were traced") {
  const Report report = traced_report();
  CHECK(measured("hardware.IOIO.count <= 12007", report) == "12,007");
  CHECK(measured("hardware.NPF <= 51", report) == "!52");
  CHECK(measured("vcpu(1).hardware.IOIO == 7", report) == "7");
  CHECK(measured("hardware.reason(0x400) == 52", report) == "52");
  CHECK(measured("hardware.reason(4294967295) == 1", report) == "1");
  CHECK(measured("hardware.IOIO.returned == 2027", report) == "2,027");
  CHECK(measured("hardware.returned == 2058", report) == "2,058");
  CHECK(measured("hardware.NPF.rate < 23", report) == "22.1");  // 52 in 2.35 s
  CHECK(measured("hardware.NPF.share < 0.5%", report) == "0.4 %");
  CHECK(measured("hardware.NPF.out_of_guest <= 260us", report) == "260 µs");
  CHECK(measured("hardware.NPF.out_of_guest.p99 <= 5us", report) == "5.00 µs");
  CHECK(measured("hardware.NPF.outside.max < 1us", report) == "!1.00 µs");
  CHECK(measured("hardware.out_of_guest <= 1s", report) == "25.3 ms");
  CHECK(measured("hardware.NPF / operations(virtio-blk0 requests) < 0.9", report) == "0.867");  // 52 of 60
  CHECK(measured("hardware.CR3_WRITE <= 0", report) == "0");
  CHECK(check(parse_expectation("hardware.CR3_WRITE <= 0", ""), report).remark == "no such exits");
}

TEST_CASE("flags beside a reason of VMX do not matter") {
  Report report = traced_report();
  for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    vcpu.traced->vendor = stats::Vendor::vmx;
    vcpu.traced->reasons = {{30, 5, 0, {}, {}}, {30 | stats::vmx_bus_lock, 2, 0, {}, {}}};
  }
  CHECK(measured("hardware.IO_INSTRUCTION == 14", report) == "14");
}

TEST_CASE("a reason that this hardware does not have is refused, and so is one that was not traced") {
  CHECK_THAT(refusal("hardware.EPT_VIOLATION <= 5", traced_report()),
             Contains("is AMD's (SVM), which has no exit reason EPT_VIOLATION"));
  CHECK_THAT(refusal("hardware.NPF <= 5"), Contains("those of a tracer"));
  CHECK_THAT(refusal("hardware.EPT <= 5"), Contains("\"EPT\" is no exit reason of VMX or SVM"));
  CHECK_THAT(refusal("hardware.NPF.HLT <= 5"), Contains("selects what has been selected before"));
  CHECK_THAT(refusal("hardware.reason(x) <= 5"), Contains("\"x\" is no number"));
  CHECK_THAT(refusal("hardware.NPF.out_of_guest <= 5cycles"), Contains("not in cycles"));
  CHECK_THAT(refusal("hardware.NPF.out_of_guest <= 5"), Contains("a time has a unit"));
  CHECK_THAT(refusal("hardware.NPF.share / hardware <= 5%"), Contains("is not divided"));
  CHECK_THAT(refusal("io / hardware.NPF.rate <= 5"), Contains("only a count can divide"));
  Report report = traced_report();
  for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) vcpu.traced = stats::TracedExits{};
  CHECK_THAT(refusal("hardware.NPF <= 5", report), Contains("no hardware exits were announced"));
}

TEST_CASE("exits that the tracer had no room for are told") {
  Report report = traced_report();
  report.snapshot.vcpus[0].traced->without_reason = 3;
  CHECK(check(parse_expectation("hardware.NPF <= 60", ""), report).remark ==
        "3 further exits are counted under no reason");
}

TEST_CASE("a trace of another program's VM has no exits of KVM_RUN that an expectation could hold for") {
  Report report = traced_report();
  for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    vcpu.exits = 0;
    vcpu.keys.clear();
  }
  CHECK_THAT(refusal("mmio.count <= 5", report), Contains("the hardware's exits and no others"));
  CHECK(measured("hardware.NPF == 52", report) == "52");
  const std::string budget = budget_of(report, 0);
  CHECK_THAT(budget, !Contains("exits.count"));
  CHECK_THAT(budget, Contains("\nhardware.NPF.count <= 52\n"));
}

TEST_CASE("a budget that is written has the hardware's reasons, but not the host's interrupts") {
  Report report = traced_report();
  report.snapshot.vcpus[0].traced->reasons.insert(report.snapshot.vcpus[0].traced->reasons.begin(),
                                                  {0x60, 9, 0, {}, {}});
  const std::string budget = budget_of(report, 0.1);
  CHECK_THAT(budget, Contains("\n# By the hardware's reason.\nhardware.HLT.count <= 1\n"
                              "hardware.IOIO.count <= 13207\nhardware.NPF.count <= 57\n"));
  CHECK_THAT(budget, !Contains("INTR"));
  for (const Expectation& expectation : parse_budget(budget, "b")) {
    INFO(expectation.text);
    CHECK(check(expectation, report).passed);
  }
}

TEST_CASE("exits are divided by what devices count") {
  CHECK(measured("device(virtio-blk0) / operations(virtio-blk0 requests) <= 0.5") == "0.500");
  CHECK(measured("hardware / operations(requests) < 201.05") == "!201");
  CHECK(measured("mmio.service / operations(requests) <= 22.5us") == "22.5 µs");
  CHECK(measured("operations(virtio-blk0 bytes) >= 245760") == "245,760");
}

TEST_CASE("what is divided by nothing fails") {
  CHECK(measured("exits / operations(e1000.0 packets) <= 100000") == "!-");
  CHECK(measured("exits / operations(e1000.0 packets) >= 0") == "!-");
}

TEST_CASE("what did not happen is 0, and said not to be there") {
  CHECK(measured("xen <= 0") == "0");
  CHECK(measured("key(uart0 LSR) <= 0") == "0");
  CHECK(measured("device(rtc) <= 0") == "0");
  CHECK(measured("key(port 0x9999) == 0") == "0");
  CHECK(check(parse_expectation("key(uart0 LSR) <= 0", ""), rich_report()).remark == "no such exits");
}

TEST_CASE("what cannot be is refused") {
  CHECK(refusal("device(uart7) <= 5") ==
        "--expect: \"device(uart7) <= 5\": the machine of this run has no device \"uart7\"");
  CHECK_THAT(refusal("key(virtio-blk QueueNotify) <= 5"), Contains("no device \"virtio-blk\""));
  CHECK_THAT(refusal("phase(post 0x11) <= 5"), Contains("no phase \"post 0x11\""));
  CHECK_THAT(refusal("vcpu(2).io <= 5"), Contains("no vCPU 2"));
  CHECK_THAT(refusal("operations(leaps) <= 5"), Contains("no device of this run counts \"leaps\""));
  CHECK_THAT(refusal("operations(uart0 requests) <= 5"), Contains("counts \"requests\""));
  Report unknown = rich_report();
  unknown.devices.clear();  // as in a report of version 1
  CHECK(refusal("device(uart7) <= 5", unknown).empty());
  unknown.snapshot.tsc_khz = 0;
  CHECK_THAT(refusal("io.service <= 5us", unknown), Contains("frequency is not known"));
  CHECK(refusal("io.service <= 5cycles", unknown).empty());
  unknown.wall_seconds = 0;
  CHECK_THAT(refusal("io.rate <= 5", unknown), Contains("no length"));
}

TEST_CASE("an expression that is none is refused with what is wrong") {
  CHECK_THAT(refusal(""), Contains("there is no expression"));
  CHECK_THAT(refusal("# only this"), Contains("there is no expression"));
  CHECK_THAT(refusal("mmioo.count <= 5"), Contains("\"mmioo\" is no reason, selector or figure"));
  CHECK_THAT(refusal("mmio.count"), Contains("one of < <= == != >= > belongs"));
  CHECK_THAT(refusal("mmio.count = 5"), Contains("one of < <= == != >= > belongs where \"= 5\" is"));
  for (const char* number : {"", "x", "-5", ".5", "1.2.3", "1e5", "0x10"}) {
    INFO(number);
    CHECK_FALSE(refusal(std::string("mmio.count <= ") + number).empty());
  }
  CHECK_THAT(refusal("mmio.count <= 5 apples"), Contains("\"apples\" is none of the units"));
  CHECK_THAT(refusal("mmio.count <= 5us"), Contains("only a time has a unit of time"));
  CHECK_THAT(refusal("mmio.service <= 5"), Contains("a time has a unit"));
  CHECK_THAT(refusal("mmio.share <= 5"), Contains("a share is in %"));
  CHECK_THAT(refusal("mmio <= 5%"), Contains("only a share is in %"));
  CHECK_THAT(refusal("mmio.service.median <= 5us"), Contains("\"median\" is none of sum"));
  for (const char* percentile : {"p", "p101", "p-1", "p99.9.9", "px"}) {
    INFO(percentile);
    CHECK_FALSE(refusal(fmt::format("mmio.service.{} <= 5us", percentile)).empty());
  }
  CHECK_THAT(refusal("key(uart0) <= 5"), Contains("a key is a device and its register"));
  CHECK_THAT(refusal("key(port COM1) <= 5"), Contains("\"COM1\" is no address"));
  CHECK_THAT(refusal("phase() <= 5"), Contains("there is nothing in phase()"));
  CHECK_THAT(refusal("phase(start <= 5"), Contains("missing"));
  CHECK_THAT(refusal("phase(\"start) <= 5"), Contains("a quote is not closed"));
  CHECK_THAT(refusal("io.mmio <= 5"), Contains("\"mmio\" selects what has been selected before"));
  CHECK_THAT(refusal("exits / mmio.service <= 5"), Contains("only a count can divide"));
  CHECK_THAT(refusal("io.operations(requests) <= 5"), Contains("nothing stands before them"));
  CHECK(refusal("\x1b[2J <= 5").find('\x1b') == std::string::npos);
}

TEST_CASE("numbers up to 2^64 - 1 are compared exactly") {
  Report report = report_of({exits(port(1, Direction::read, 1), 1, 1, 1)});
  report.snapshot.vcpus[0].keys[0].count = ~std::uint64_t{0};
  CHECK(measured("exits <= 18446744073709551615", report) == "18,446,744,073,709,551,615");
  CHECK(measured("exits <= 18446744073709551614", report) == "!18,446,744,073,709,551,615");
}

TEST_CASE("a budget has an expression a line, comments and empty lines") {
  const auto budget =
      parse_budget("# exits\n\nexits <= 5  # few\r\n  phase(\"a # b\") <= 1\n", "exits.budget");
  REQUIRE(budget.size() == 2);
  CHECK(budget[0].text == "exits <= 5");
  CHECK(budget[0].place == "exits.budget:3");
  CHECK(std::get<ExitQuantity>(budget[1].quantity).selection.phase == "a # b");
  CHECK_THROWS_WITH(parse_budget("exits <= 5\nio <= \n", "exits.budget"), Contains("exits.budget:2: "));
}

TEST_CASE("a report holds the budget that is written of it, and no exit more") {
  const Report report = rich_report();
  const std::vector<Expectation> budget = parse_budget(budget_of(report, 0), "b");
  CHECK(budget.size() > 12);
  for (const Expectation& expectation : budget) {
    INFO(expectation.text);
    CHECK(check(expectation, report).passed);
  }
  Report more = report;
  for (stats::VcpuSnapshot& vcpu : more.snapshot.vcpus) {
    for (stats::KeyStats& key : vcpu.keys) ++key.count;
  }
  for (const Expectation& expectation : budget) {
    const bool of_zero = expectation.limit == 0;
    INFO(expectation.text);
    CHECK((of_zero || !check(expectation, more).passed));
  }
}

TEST_CASE("slack allows so much more") {
  const std::string budget = budget_of(rich_report(), 0.05);
  CHECK_THAT(budget, Contains("\nexits.count <= 2168\n"));  // 2065 * 1.05 = 2168.25
  CHECK_THAT(budget, Contains("\nmmio.count <= 31\n"));     // 30 * 1.05 = 31.5
  CHECK_THAT(budget, Contains("\nkey(virtio-blk0 QueueNotify write 4).count <= 31\n"));
  CHECK_THAT(budget,
             Contains("\ndevice(virtio-blk0).count / operations(virtio-blk0 requests) <= 0.525000\n"));
}

TEST_CASE("names that need it are quoted, those that cannot be named are left out") {
  Report report =
      report_of({exits(port(1, Direction::read, 1), 1, 1, 1), exits(port(2, Direction::read, 1), 1, 1, 1),
                 exits(port(3, Direction::read, 1), 1, 1, 1)});
  report.set_name(port(1, Direction::read, 1), {"ata0", "alternate status (0x3f6) # of 8"});
  report.set_name(port(2, Direction::read, 1), {"odd\"one", "x\ny"});
  report.set_name(port(3, Direction::read, 1), {"ata0", "alternate status (0x3f6) # of 8"});
  const std::string budget = budget_of(report, 0);
  CHECK_THAT(budget, Contains("key(ata0 \"alternate status (0x3f6) # of 8\" in 1).count <= 2\n"));
  CHECK_THAT(budget, !Contains("odd"));
  for (const Expectation& expectation : parse_budget(budget, "b")) CHECK(check(expectation, report).passed);
}

TEST_CASE("the budget of a run without exits allows none") {
  CHECK_THAT(budget_of(report_of({}), 0.1), Contains("exits.count <= 0\n"));
}

TEST_CASE("an outcome is one line") {
  const Expectation expectation = parse_expectation("xen <= 0", "--expect");
  CHECK(in_words(expectation, check(expectation, rich_report())) == "pass: xen <= 0: 0 (no such exits)");
  const Expectation failing = parse_expectation("io <= 1", "--expect");
  CHECK(in_words(failing, check(failing, rich_report())) == "FAIL: io <= 1: 2,027");
}

}  // namespace
}  // namespace kvmbench::report
