#include "report/openmetrics.hpp"

#include <linux/kvm.h>

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "openmetrics_grammar.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;

/// Samples by name and labels, as they are written.
std::map<std::string, double> samples_of(const std::string& text) {
  std::map<std::string, double> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  return samples;
}

TEST_CASE("exits are counted by vCPU, reason and device, registers and phases summed") {
  const auto samples = samples_of(to_openmetrics(rich_report()));
  CHECK(samples.at(R"(kvmbench_exits_total{vcpu="0",reason="io",device="uart0"})") == 2'007);
  CHECK(samples.at(R"(kvmbench_exits_total{vcpu="1",reason="io",device="uart0"})") == 3);
  CHECK(samples.at(R"(kvmbench_exits_total{vcpu="0",reason="io",device="unclaimed"})") == 12);
  CHECK(samples.at(R"(kvmbench_exits_total{vcpu="1",reason="hlt",device=""})") == 1);
}

TEST_CASE("times are in seconds") {
  const auto samples =
      samples_of(to_openmetrics(report_of({exits(port(0x3f8, Direction::write, 1), 1'000, 2'000, 20'000)})));
  CHECK(samples.at(R"(kvmbench_run_seconds_total{vcpu="0",reason="io"})") == Approx(0.02));
  CHECK(samples.at(R"(kvmbench_service_seconds_sum{vcpu="0",reason="io"})") == Approx(0.002));
  CHECK(samples.at(R"(kvmbench_service_seconds_count{vcpu="0",reason="io"})") == 1'000);
}

TEST_CASE("a histogram is cumulative, its bounds the powers of the square root of 2") {
  // 2,000 cycles of a nanosecond lie between 2^-19 s (1.91 µs) and 2^-18.5 s (2.70 µs).
  const std::string text =
      to_openmetrics(report_of({exits(port(0x3f8, Direction::write, 1), 7, 2'000, 20'000)}));
  const auto samples = samples_of(text);
  std::map<double, double> by_bound;
  for (const auto& [name, value] : samples) {
    const std::size_t at = name.find("le=\"");
    if (at != std::string::npos && name.find("+Inf") == std::string::npos)
      by_bound[std::stod(name.substr(at + 4))] = value;
  }
  REQUIRE(by_bound.size() == 55);
  CHECK(by_bound.begin()->first == Approx(5.9604644775390625e-08));
  CHECK(by_bound.rbegin()->first == 8);
  for (const auto& [bound, count] : by_bound) CHECK(count == (bound < 2e-6 ? 0 : 7));
  CHECK(samples.at(R"(kvmbench_service_seconds_bucket{vcpu="0",reason="io",le="+Inf"})") == 7);
}

TEST_CASE("what takes longer than the highest bound is in the last bucket only") {
  const auto samples =
      samples_of(to_openmetrics(report_of({exits(of_reason(KVM_EXIT_HLT), 1, 30'000'000'000, 0)})));
  CHECK(samples.at(R"(kvmbench_service_seconds_bucket{vcpu="0",reason="hlt",le="8.0"})") == 0);
  CHECK(samples.at(R"(kvmbench_service_seconds_bucket{vcpu="0",reason="hlt",le="+Inf"})") == 1);
}

TEST_CASE("labels are escaped") {
  Report report = rich_report();
  report.machine = {{"image", "a\"b\\c\nd"}};
  CHECK(to_openmetrics(report).find(R"(image="a\"b\\c\\x0ad")") != std::string::npos);
}

TEST_CASE("the kernel's count is there where the kernel counts") {
  CHECK(samples_of(to_openmetrics(rich_report())).at(R"(kvmbench_hardware_exits_total{vcpu="0"})") == 12'054);
  CHECK(to_openmetrics(report_of({})).find("hardware_exits") == std::string::npos);
}

TEST_CASE("where the clock's rate is not known there are counts and no times") {
  Report report = rich_report();
  report.snapshot.tsc_khz = 0;
  const std::string text = to_openmetrics(report);
  CHECK(text.find("_seconds") == std::string::npos);
  CHECK(text.find("kvmbench_exits_total") != std::string::npos);
}

TEST_CASE("what devices have done is counted by device and operation") {
  const auto samples = samples_of(to_openmetrics(rich_report()));
  CHECK(samples.at(R"(kvmbench_operations_total{device="virtio-blk0",operation="requests"})") == 60);
  CHECK(samples.at(R"(kvmbench_operations_total{device="virtio-blk0",operation="bytes"})") == 245'760);
  CHECK(to_openmetrics(report_of({})).find("operations") == std::string::npos);
}

TEST_CASE("the hardware's reasons have counts, those that led to userspace, and a histogram") {
  const auto samples = samples_of(to_openmetrics(traced_report()));
  CHECK(samples.at(R"(kvmbench_traced_exits_total{vcpu="0",reason="NPF"})") == 52);
  CHECK(samples.at(R"(kvmbench_traced_exits_to_userspace_total{vcpu="0",reason="NPF"})") == 30);
  CHECK(samples.at(R"(kvmbench_out_of_guest_seconds_count{vcpu="0",reason="NPF"})") == 52);
  CHECK(samples.at(R"(kvmbench_out_of_guest_seconds_sum{vcpu="0",reason="NPF"})") == Approx(52 * 5e-6));
  // 5 µs lie between 2^-18 s (3.8 µs) and 2^-17.5 s (5.4 µs).
  const auto bucket = [&](const char* bound) {
    return samples.at(std::string(R"(kvmbench_out_of_guest_seconds_bucket{vcpu="0",reason="NPF",le=")") +
                      bound + R"("})");
  };
  CHECK(bucket("3.814697265625e-06") == 0);
  CHECK(bucket("8.0") == 52);
  CHECK(bucket("+Inf") == 52);
}

TEST_CASE("of counters of one name in a merged report one is shown") {
  Report report = traced_report();
  stats::KernelCounter other = report.snapshot.vcpus[0].counters[0];
  other.type = stats::KernelCounter::Type::peak;
  report.snapshot.vcpus[0].counters.push_back(other);
  CHECK(violation(to_openmetrics(report)).empty());
}

TEST_CASE("the text is as the specification wants, whatever names a report has") {
  Report hostile = traced_report();
  const std::string name = "\"}\\ \n# EOF\n\x80\xe2\x82\xac{<&'";
  hostile.machine = {{"image", name}};
  hostile.kvmbench_version = name;
  hostile.snapshot.operations = {{name, {{name, 1}, {"", 2}}}};
  hostile.set_name(port(0x3f8, Direction::write, 1), {name, name});
  hostile.snapshot.vcpus[0].counters[0].name = name;
  Report idle = report_of({});
  idle.snapshot.vcpus.clear();
  for (const Report& report : {report_of({}), rich_report(), traced_report(), hostile, idle}) {
    const std::string text = to_openmetrics(report);
    INFO(text);
    CHECK(violation(text) == "");
  }
}

TEST_CASE("the tests' grammar refuses what the specification does") {
  const std::string counter = "# TYPE a counter\n";
  CHECK(violation(counter + "a_total{b=\"c\"} 1\n# EOF\n") == "");
  for (const std::string& text :
       {counter + "a_total 1\n", counter + "a 1\n# EOF\n", counter + "a_total 1\n\n# EOF\n",
        counter + "a_total -1\n# EOF\n", counter + "a_total NaN\n# EOF\n", counter + "a_total 1\n# EOF\nx",
        counter + "a_total{b=\"\\x\"} 1\n# EOF\n", counter + "a_total{b=\"c\",b=\"d\"} 1\n# EOF\n",
        counter + "a_total{1=\"c\"} 1\n# EOF\n", counter + "a_total 1\na_total 1\n# EOF\n",
        counter + "a_total  1\n# EOF\n", counter + counter + "a_total 1\n# EOF\n",
        std::string("a_total 1\n# EOF\n"), counter + "# UNIT a seconds\na_total 1\n# EOF\n",
        std::string("# TYPE a histogram\na_bucket{le=\"1.0\"} 2\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum "
                    "1\n# EOF\n"),
        std::string("# TYPE a histogram\na_bucket{le=\"1.0\"} 1\na_count 1\na_sum 1\n# EOF\n"),
        std::string("# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum "
                    "1\n# EOF\n")}) {
    INFO(text);
    CHECK(violation(text) != "");
  }
}

}  // namespace
}  // namespace kvmbench::report
