#include "report/kernel_view.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "report/hardware_accounting.hpp"
#include "report/html/html.hpp"
#include "report/openmetrics.hpp"
#include "report/report_charts.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;
using testing::traced_report;

std::string text(const Report& report) {
  return to_text(report, {.width = 200});
}

TEST_CASE("hardware exits are set against KVM's own count and against the returns of KVM_RUN") {
  const auto accounting = hardware_accounting(traced_report().snapshot);
  REQUIRE(accounting);
  CHECK(accounting->traced == 12'061);
  CHECK(accounting->counted == 12'063u);
  CHECK(accounting->unexplained() == 2);
  CHECK(accounting->to_userspace == 2'058);
  CHECK(accounting->kernel_handled() == 10'003);
  CHECK(accounting->returns == traced_report().snapshot.exits());
  CHECK_FALSE(accounting->no_hardware_exits());
}

TEST_CASE("more exits traced than counted are a negative remainder") {
  Report report = traced_report();
  report.snapshot.vcpus[0].kernel_exits = 12'050;
  CHECK(hardware_accounting(report.snapshot)->unexplained() == -2);
  CHECK_THAT(text(report), Contains("unexplained: -2."));
}

TEST_CASE("without a tracer there is nothing to set against each other") {
  CHECK_FALSE(hardware_accounting(testing::rich_report().snapshot));
  CHECK(kernel_tables(testing::rich_report()).empty());
}

TEST_CASE("without a kernel's count no remainder is told") {
  Report report = traced_report();
  report.snapshot.vcpus[1].kernel_exits.reset();
  CHECK_FALSE(hardware_accounting(report.snapshot)->unexplained());
  CHECK_THAT(text(report), Contains("this kernel keeps no count of its own"));
}

TEST_CASE("a KVM that counts exits and announces none is said to have none to trace") {
  Report report = traced_report();
  for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    vcpu.traced->reasons.clear();
    vcpu.traced->exits = 0;
  }
  CHECK(hardware_accounting(report.snapshot)->no_hardware_exits());
  CHECK_THAT(text(report), Contains("This KVM has no hardware exits to trace: it counted 12,063 exits"));
  CHECK_THAT(text(report), Contains("port 0x3f8"));
}

TEST_CASE("the text has the reasons, most time first, and their sum") {
  const std::string shown = text(traced_report());
  CHECK_THAT(shown, Contains("Hardware exits by reason"));
  CHECK(shown.find("\nIOIO") < shown.find("\nHLT"));
  CHECK_THAT(shown, Contains("The tracer saw 12,061 exits, KVM's own counter 12,063: unexplained: 2."));
  CHECK_THAT(shown, Contains("After 2,058 of them KVM_RUN returned, KVM served 10,003 itself"));
  CHECK_THAT(shown, Contains("2 events are under no detail: the tracer's table of details was full."));
  CHECK_THAT(shown, Contains("not with the fields needed: kvm_hypercall."));
  CHECK_THAT(shown, Contains("page fault 0xfea00000-0xfebfffff"));
  CHECK_THAT(shown, Contains("Most out-of-guest time: IOIO, 24.0 ms for 12,007 exits."));
}

TEST_CASE("the kernel's counters are shown with their units, those of 0 are not") {
  const std::string shown = text(traced_report());
  CHECK_THAT(shown, Contains("vCPUs  exits          12,063"));
  CHECK_THAT(shown, Contains("vCPUs  halt_wait_ns  3.00 ms"));
  CHECK_THAT(shown, Contains("VM     pages_4k           17"));
  CHECK_THAT(shown, !Contains("mmu_unsync"));
  CHECK_THAT(shown, Contains("vCPUs  halt_wait_hist  2.00 ns to 4.00 ns      6"));
  CHECK_THAT(shown, Contains("vCPUs  halt_wait_hist  from 4.00 ns            2"));
}

TEST_CASE("every format has the hardware's reasons and the kernel's counters") {
  const Report report = traced_report();
  for (const std::string& shown :
       {to_markdown(report, false), to_html(report), to_csv(report), to_json(report), text(report)}) {
    CHECK_THAT(shown, Contains("IOIO"));
    CHECK_THAT(shown, Contains("halt_wait_hist"));
  }
}

TEST_CASE("OpenMetrics has the hardware's reasons and the kernel's counters, by vCPU") {
  const std::string metrics = to_openmetrics(traced_report());
  CHECK_THAT(metrics, Contains("\nkvmbench_traced_exits_total{vcpu=\"0\",reason=\"IOIO\"} 12000\n"));
  CHECK_THAT(metrics, Contains("\nkvmbench_out_of_guest_seconds_sum{vcpu=\"1\",reason=\"HLT\"} 0.001\n"));
  CHECK_THAT(metrics, Contains("\nkvmbench_kvm_counter{vcpu=\"0\",counter=\"exits\"} 12054\n"));
}

TEST_CASE("a trace of another program's VM is drawn by the hardware's reasons") {
  Report report = traced_report();
  for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
    vcpu.exits = 0;
    vcpu.keys.clear();
  }
  report.machine = {{"process", "4711"}, {"program", "qemu<x>"}};
  const std::string reasons = to_svg(report, Chart::reasons, nullptr);
  CHECK_THAT(reasons, Contains("Time out of the guest by hardware reason"));
  CHECK_THAT(reasons, Contains("24.0 ms (95.0 %)"));
  CHECK_THAT(to_svg(report, Chart::histogram, nullptr), Contains("NPF"));
  const std::string page = to_html(report);
  CHECK_THAT(page, Contains("<h1>Exits of qemu&lt;x&gt;</h1>"));
  CHECK_THAT(page, Contains("Hardware exits by reason"));
  CHECK_THAT(page, !Contains("No exits were recorded"));
  CHECK_THAT(page, Contains("KVM_RUN returned 2,058 times"));
}

TEST_CASE("in CSV the tables have exact values") {
  const std::string csv = to_csv(traced_report());
  CHECK_THAT(csv, Contains("\nIOIO,12007,12007,24012000,24012000,2000,2000,"));
  CHECK_THAT(csv, Contains("\nvCPUs,halt_wait_ns,3000000\n"));
}

TEST_CASE("JSON keeps what the kernel counted and what the tracer saw") {
  const Report report = traced_report();
  const Report read = from_json(to_json(report), "r.json");
  CHECK(read.snapshot == report.snapshot);
  const Json json = Json::parse(to_json(report));
  CHECK(json["hardware"]["unexplained"] == 2);
  CHECK(json["hardware"]["kernel_handled"] == 10'003);
  CHECK(json["hardware"]["by_reason"][0]["reason_name"] == "HLT");
  CHECK(json["hardware"]["vcpus"][0]["details"][0]["kind"] == "port");
  CHECK(json["kernel"]["vcpus"][0]["counters"][2]["type"] == "log_histogram");
}

TEST_CASE("an interval has the growth of the counters and of the hardware's reasons") {
  const Report report = traced_report();
  stats::Snapshot later = report.snapshot;
  later.vcpus[0].counters[0].values[0] += 5;
  later.vcpus[0].kernel_exits = *later.vcpus[0].kernel_exits + 5;
  later.vcpus[0].traced->reasons[0].count += 5;
  later.vcpus[0].traced->exits += 5;
  const Json json = Json::parse(to_json_line(later - report.snapshot, 1));
  CHECK(json["kernel"]["exits"] == 5);
  CHECK(json["kernel"]["pages_4k"] == 17);
  CHECK(json["hardware"]["exits"] == 5);
  CHECK(json["hardware"]["unexplained"] == 0);
  REQUIRE(json["hardware"]["reasons"].size() == 1);
  CHECK(json["hardware"]["reasons"][0]["count"] == 5);
  CHECK(Json::parse(to_json_line(testing::rich_report().snapshot, 1))["hardware"].is_null());
}

std::string refusal(const std::string& place, const Json& value) {
  Json json = Json::parse(to_json(traced_report()));
  json[Json::json_pointer(place)] = value;
  try {
    (void)from_json(json.dump(), "r.json");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a saved report's kernel and hardware sections are refused where they cannot be") {
  CHECK_THAT(refusal("/kernel/vcpus/0/vcpu", 7), Contains("there is no such vCPU"));
  CHECK_THAT(refusal("/kernel/vcpus/1/vcpu", 0), Contains("this vCPU comes twice"));
  const Json first_counter = Json::parse(to_json(traced_report()))["kernel"]["vm"][0];
  CHECK_THAT(refusal("/kernel/vm/1", first_counter), Contains("this counter comes twice"));
  CHECK_THAT(refusal("/kernel/vm/0/values", Json::array()), Contains("a counter has one value"));
  CHECK_THAT(refusal("/kernel/vm/0/base", 3), Contains("a base is 2 or 10"));
  CHECK_THAT(refusal("/kernel/vm/0/unit", "miles"), Contains("\"miles\" where one of"));
  CHECK_THAT(refusal("/hardware/vcpus/0/vcpu", 7), Contains("there is no such vCPU"));
  CHECK_THAT(refusal("/hardware/vcpus/0/reasons/0/returned", 12'001), Contains("above the count"));
  CHECK_THAT(refusal("/hardware/vcpus/0/reasons/1/reason", 1), Contains("in ascending order"));
  CHECK_THAT(refusal("/hardware/vcpus/0/vendor", "arm"), Contains("\"arm\" where one of"));
  CHECK_THAT(refusal("/hardware/extra", 1), Contains("\"extra\" is not known"));
  CHECK_THAT(refusal("/hardware/unit", "cycles"), Contains("times are in nanoseconds"));
  CHECK_THAT(refusal("/hardware/vcpus/0/reasons/0/count", ~std::uint64_t{0}), Contains("passes 2^64"));
}

}  // namespace
}  // namespace kvmbench::report
