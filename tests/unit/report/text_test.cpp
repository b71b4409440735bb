#include <linux/kvm.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <sstream>
#include <vector>

#include "report/formats.hpp"
#include "report/printable.hpp"
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

/// The lines from the one that is `heading` to the next empty one.
std::vector<std::string> section(const std::string& text, const std::string& heading) {
  std::vector<std::string> found;
  bool inside = false;
  for (const std::string& line : lines_of(text)) {
    if (line == heading) inside = true;
    if (inside && line.empty()) break;
    if (inside) found.push_back(line);
  }
  return found;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("the header tells what ran, how it ended and on which host") {
  const std::vector<std::string> lines = lines_of(to_text(rich_report(), {}));
  CHECK(lines[0] == "kvmbench 0.1.0, run of 2026-01-31T12:34:56Z");
  CHECK(lines[1] == "guest powered off after 2.35 s, exit status 0");
  CHECK(lines[3] == "Machine");
  CHECK(lines[4] == "  image         @hello");
  CHECK(section(to_text(rich_report(), {}), "Host") ==
        std::vector<std::string>{"Host", "  cpu            Example CPU, 2.6 GHz",
                                 "  mitigations    vulnerable: none; 12 not affecting this CPU",
                                 "  tsc frequency  1000.000 MHz"});
}

TEST_CASE("reasons are sorted by service time and add up") {
  // 1 GHz: 1000 * 2000 ns and 10 * 500 us.
  const Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1'000, 2'000, 20'000),
                                   exits(of_reason(KVM_EXIT_HLT), 10, 500'000, 100'000)});
  const std::vector<std::string> table = section(to_text(report, {.width = 60}), "Exits by reason");
  CHECK(table[1] == "reason  count  service  time %     mean      p99      max");
  CHECK(table[2] == "---------------------------------------------------------");
  CHECK(table[3] == "hlt        10  5.00 ms    71.4   500 µs   500 µs   500 µs");
  CHECK(table[4] == "io      1,000  2.00 ms    28.6  2.00 µs  2.00 µs  2.00 µs");
  CHECK(table[6].starts_with("total   1,010  7.00 ms   100.0  6.93 µs  "));
  CHECK(table[7] == "1,010 exits, as many as KVM_RUN returned.");
}

TEST_CASE("a wide terminal shows run time and what each reason is") {
  const std::vector<std::string> table = section(to_text(rich_report(), {.width = 200}), "Exits by reason");
  CHECK(contains(table[1], "what it is"));
  CHECK(contains(table[1], "run"));
  CHECK(
      contains(table[3], "The guest executed a port I/O instruction for a port that KVM does not emulate."));
}

TEST_CASE("a key is shown with its device, register, direction and width") {
  const std::vector<std::string> table = section(to_text(rich_report(), {.width = 200}), "Exits by key");
  REQUIRE(table.size() == 13);
  CHECK(table[1].starts_with(
      "key               device       register     dir    width  count  transfers  service"));
  CHECK(table[3].starts_with(
      "port 0x3f8        uart0        THR          out        1  2,010      2,703  6.01 ms"));
  CHECK(table[4].starts_with(
      "gpa 0xfeb00050    virtio-blk0  QueueNotify  write      4     30         30  1.35 ms"));
  CHECK(table[5].starts_with(
      "port 0x1234       unclaimed                 in         4     12         12  8.40 µs"));
  CHECK(table[6].starts_with(
      "rdmsr 0xc0000080                            read              4          4  4.40 µs"));
  CHECK(table[12].starts_with(
      "total                                                     2,065      2,758  7.38 ms"));
}

TEST_CASE("keys beyond a full table, unknown reasons and errors are shown as what they are") {
  const std::string text = to_text(rich_report(), {.width = 100});
  CHECK(contains(text, "\nio, further keys  "));
  CHECK(contains(text, "\nexit 63 0x5  "));
  CHECK(contains(text, "\nerror EAGAIN  "));
}

TEST_CASE("transfers have a column only where they differ from exits") {
  const Report plain = report_of({exits(port(0x3f8, Direction::write, 1), 5, 100, 100)});
  CHECK_FALSE(contains(to_text(plain, {.width = 200}), "transfers"));
  CHECK(contains(to_text(rich_report(), {.width = 200}), "transfers"));
}

TEST_CASE("no line is wider than the terminal, from 40 columns on, and none ends in a space") {
  Report large = rich_report();
  large.snapshot.vcpus[0].keys[0].count = 1'000'000'000'000;
  large.machine.emplace_back("image", std::string(300, 'x'));
  large.ending = std::string(100, 'y');
  for (const Report& report : {rich_report(), large, report_of({})}) {
    for (unsigned width = 40; width < 260; width += 3) {
      for (const std::string& line : lines_of(to_text(report, {.width = width, .split_phases = true}))) {
        INFO(width << ": " << line);
        CHECK(display_width(line) <= width);
        CHECK_FALSE(line.ends_with(' '));
      }
    }
  }
}

TEST_CASE("below 40 columns the report is as for 40") {
  CHECK(to_text(rich_report(), {.width = 0}) == to_text(rich_report(), {.width = 40}));
}

TEST_CASE("a count of 10^12 is shown in full at 40 columns") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1'000'000'000'000, 1, 1)});
  const std::string text = to_text(report, {.width = 40});
  CHECK(contains(text, "port 0x3f8  1,000,000,000,000  1000 s"));
}

TEST_CASE("no control character of the user's or the guest's reaches the terminal") {
  for (const char c : to_text(rich_report(), {.width = 120, .split_phases = true})) {
    CHECK((static_cast<unsigned char>(c) >= 0x20 || c == '\n'));
  }
}

TEST_CASE("a run without exits says so") {
  const std::string text = to_text(report_of({}), {});
  CHECK(contains(text, "No exits were recorded."));
  CHECK_FALSE(contains(text, "total"));
}

TEST_CASE("one key makes a whole report") {
  const std::string text = to_text(report_of({exits(of_reason(KVM_EXIT_SHUTDOWN), 1, 0, 50)}), {});
  CHECK(contains(text, "1 exit, as many as KVM_RUN returned."));
  CHECK(contains(text, "Most service time: shutdown, 0 ns for 1 exit.\n"));
}

TEST_CASE("keys that hold fewer exits than KVM_RUN returned are reported as such") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 5, 100, 100)});
  report.snapshot.vcpus[0].exits = 7;
  CHECK(contains(to_text(report, {}), "The keys hold 5 exits, 2 fewer than KVM_RUN returned"));
}

TEST_CASE("the kernel's count of exits stands beside KVM_RUN's returns, and what KVM served itself follows") {
  CHECK(
      contains(to_text(rich_report(), {.width = 200}),
               "\n2,065 exits, as many as KVM_RUN returned.\n"
               "KVM counted 12,063 hardware exits and KVM_RUN returned 2,065 times: at least the difference, "
               "9,998, KVM served itself.\n"));
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1, 100, 100)});
  report.snapshot.vcpus[0].kernel_exits = 2;
  CHECK(
      contains(to_text(report, {.width = 200}),
               "\nKVM counted 2 hardware exits and KVM_RUN returned 1 time: at least the difference, 1, KVM "
               "served itself.\n"));
}

TEST_CASE(
    "where KVM_RUN returned as often as KVM counted, or more often, nothing is said of what KVM served") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 1, 100, 100)});
  report.snapshot.vcpus[0].kernel_exits = 1;
  CHECK(contains(to_text(report, {.width = 200}),
                 "\nKVM counted 1 hardware exit and KVM_RUN returned 1 time.\n"));
  report.snapshot.vcpus[0].kernel_exits = 0;
  const std::string fewer = to_text(report, {.width = 200});
  CHECK(
      contains(fewer,
               "\nKVM counted 0 hardware exits and KVM_RUN returned 1 time, 1 more: it can return without a "
               "hardware exit.\n"));
  CHECK_FALSE(contains(fewer, "served itself"));
}

TEST_CASE("a kernel that keeps no count of a vCPU's exits is said to keep none") {
  const std::string none =
      "\nHow many hardware exits there were is not known: this kernel keeps no such count.\n";
  Report report = rich_report();
  report.snapshot.vcpus[1].kernel_exits.reset();
  for (const Report& uncounted : {report, report_of({})}) {
    const std::string text = to_text(uncounted, {.width = 200});
    CHECK(contains(text, none));
    CHECK_FALSE(contains(text, "KVM counted"));
  }
}

TEST_CASE("hardware exits are told of a run without any return of KVM_RUN") {
  Report report = report_of({});
  report.snapshot.vcpus[0].kernel_exits = 1'234;
  CHECK(
      contains(to_text(report, {.width = 200}),
               "\nNo exits were recorded.\nKVM counted 1,234 hardware exits and KVM_RUN returned 0 times: at "
               "least the difference, 1,234, KVM served itself.\n"));
}

TEST_CASE("the costliest reason is explained") {
  const std::string text = to_text(rich_report(), {.width = 400});
  CHECK(contains(text, "\nMost service time: io, 6.03 ms for 2,027 exits (81.6 % of it).\n"));
  CHECK(contains(text, "\nUsual cause: "));
  CHECK(contains(text, "\nWhat lessens it: "));
}

TEST_CASE("an unknown reason that costs most is explained as far as known") {
  const std::string text = to_text(report_of({exits(of_reason(4'000), 2, 100, 100)}), {});
  CHECK(contains(text, "Most service time: exit 4000, 200 ns for 2 exits (100.0 % of it)."));
  CHECK(contains(text, "does not know"));
}

TEST_CASE("vCPUs are listed where there are several, and add up") {
  CHECK(section(to_text(rich_report(), {}), "Exits by vCPU") ==
        std::vector<std::string>{"Exits by vCPU", "vCPU   count  service      run  hardware exits",
                                 "----------------------------------------------",
                                 "0      2,054  7.37 ms  45.3 ms          12,054",
                                 "1         11  13.6 µs  1.00 s                9",
                                 "----------------------------------------------",
                                 "total  2,065  7.38 ms  1.05 s           12,063"});
  Report uncounted = rich_report();
  uncounted.snapshot.vcpus[1].kernel_exits.reset();
  CHECK(section(to_text(uncounted, {}), "Exits by vCPU") ==
        std::vector<std::string>{"Exits by vCPU", "vCPU   count  service      run",
                                 "------------------------------", "0      2,054  7.37 ms  45.3 ms",
                                 "1         11  13.6 µs  1.00 s", "------------------------------",
                                 "total  2,065  7.38 ms  1.05 s"});
  CHECK_FALSE(contains(to_text(report_of({}), {}), "Exits by vCPU"));
}

TEST_CASE("phases show when they began and what they took") {
  const std::vector<std::string> table = section(to_text(rich_report(), {.width = 100}), "Phases");
  REQUIRE(table.size() == 8);
  CHECK(table[1] == "phase                            began  count  service      run  vCPU time %");
  CHECK(table[3] == "start                             0 ns  2,024  6.02 ms  1.04 s          99.6");
  CHECK(table[4] == "post 0x10                      5.00 ms      7  6.30 µs   280 µs         <0.1");
  CHECK(table[5] == "serial /log\\x1b[2Jin: |\"a,b\"/   900 ms     34  1.35 ms  2.78 ms          0.4");
  CHECK(table[7] == "total                                   2,065  7.38 ms  1.05 s         100.0");
}

TEST_CASE("split by phase, each phase has its tables and the whole follows") {
  const std::string text = to_text(rich_report(), {.width = 100, .split_phases = true});
  const std::vector<std::string> post = section(text, "Exits by key, phase post 0x10");
  REQUIRE(post.size() == 6);
  CHECK(post[3].starts_with("port 0x3f8  uart0   THR       out"));
  CHECK(section(text, "Exits by reason, phase start").size() == 9);
  CHECK(section(text, "Exits by reason, whole run").size() > 9);
  CHECK(text.find("phase start") < text.find("whole run"));
}

TEST_CASE("operations are set against the exits at their device") {
  // 30 exits of 45 us at virtio-blk0 brought 60 requests.
  CHECK(section(to_text(rich_report(), {.width = 120}), "Operations of devices") ==
        std::vector<std::string>{
            "Operations of devices", "operation               count  exits  exits each  service each",
            "--------------------------------------------------------------",
            "virtio-blk0 requests       60     30       0.500       22.5 µs",
            "virtio-blk0 bytes     245,760     30    0.000122       5.49 ns",
            "e1000.0 packets             0      0           -             -",
            "Exits and service time are those at the device's registers, for each of its operations alike."});
  CHECK_FALSE(contains(to_text(report_of({}), {}), "Operations"));
}

TEST_CASE("operations that took no exit are shown") {
  Report report = report_of({});
  report.snapshot.operations = {{"virtio-blk0", {{"requests", 5}}}};
  CHECK(contains(to_text(report, {}), "virtio-blk0 requests      5      0           0          0 ns"));
}

TEST_CASE("without a TSC frequency times stay in cycles") {
  Report report = report_of({exits(port(0x3f8, Direction::write, 1), 5, 100, 100)});
  report.snapshot.tsc_khz = 0;
  CHECK(contains(to_text(report, {}), "500 cycles"));
}

}  // namespace
}  // namespace kvmbench::report
