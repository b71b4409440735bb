#include "report/openmetrics.hpp"

#include <linux/kvm.h>

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

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

TEST_CASE("the text ends as the specification wants") {
  CHECK(to_openmetrics(report_of({})).ends_with("\n# EOF\n"));
}

}  // namespace
}  // namespace kvmbench::report
