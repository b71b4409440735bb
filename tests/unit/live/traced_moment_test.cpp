#include "live/traced_moment.hpp"

#include <linux/kvm.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "live/view.hpp"

namespace kvmbench::live {
namespace {

using Kind = stats::HardwareDetail::Kind;

constexpr std::uint32_t io_instruction = 30, hlt = 12;  // Intel SDM vol. 3, appendix C

stats::HardwareReasonStats exits(std::uint32_t reason, std::uint64_t count, std::uint64_t nanoseconds_each) {
  stats::HardwareReasonStats stats;
  stats.reason = reason;
  stats.count = count;
  for (std::uint64_t i = 0; i < count; ++i) stats.out_of_guest.add(nanoseconds_each);
  return stats;
}

stats::HardwareDetailStats port(std::uint64_t number, std::uint64_t count, std::uint64_t nanoseconds) {
  return {{Kind::port, Direction::write, 1, number}, count, count, nanoseconds};
}

stats::Snapshot snapshot_of(std::vector<stats::TracedExits> vcpus) {
  stats::Snapshot snapshot;
  for (std::uint32_t i = 0; i < vcpus.size(); ++i) {
    stats::VcpuSnapshot& vcpu = snapshot.vcpus.emplace_back();
    vcpu.vcpu = i;
    vcpu.traced = std::move(vcpus[i]);
  }
  return snapshot;
}

stats::TracedExits intel(std::vector<stats::HardwareReasonStats> reasons,
                         std::vector<stats::HardwareDetailStats> details = {}) {
  stats::TracedExits exits;
  exits.vendor = stats::Vendor::vmx;
  exits.reasons = std::move(reasons);
  exits.details = std::move(details);
  for (const stats::HardwareReasonStats& reason : exits.reasons) exits.exits += reason.count;
  return exits;
}

/// In the last 2 s, 100 port writes of 1 µs on vCPU 0 and 10 halts of 30 µs on vCPU 1; before, 900 writes.
TracedSample sample(const char* process = "4711") {
  return {process, process + std::string(" debian"),
          snapshot_of({intel({exits(io_instruction, 1'000, 1'000)}, {port(0x3f8, 1'000, 1'000'000)}),
                       intel({exits(hlt, 10, 30'000)})}),
          snapshot_of({intel({exits(io_instruction, 100, 1'000)}, {port(0x3f8, 100, 100'000)}),
                       intel({exits(hlt, 10, 30'000)})})};
}

/// A KVM that announces no exits: returns of KVM_RUN, and the ports that its other events tell.
TracedSample without_exits() {
  stats::TracedExits total;
  total.returns = {{KVM_EXIT_IO, 500}, {KVM_EXIT_HLT, 7}};
  total.details = {port(0x2f00, 500, 0)};
  stats::TracedExits recent;
  recent.returns = {{KVM_EXIT_IO, 50}};
  recent.details = {port(0x2f00, 50, 0)};
  return {"4711", "4711 debian", snapshot_of({total}), snapshot_of({recent})};
}

TracedMoment moment_of(std::vector<TracedSample> vms, const char* remark = "") {
  return {std::move(vms), {.recent_seconds = 2, .run_seconds = 20}, remark};
}

const Row& row_named(const std::vector<Row>& rows, const std::string& name) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  REQUIRE(at != rows.end());
  return *at;
}

TEST_CASE("a reason of the hardware has its rate of late, its total, share of time and percentile") {
  const std::vector<Row> rows = moment_of({sample()}).rows(Grouping::reason, {});
  REQUIRE(rows.size() == 2);
  const Row& io = row_named(rows, "IO_INSTRUCTION");
  CHECK(io.total == 1'000);
  CHECK(io.rate == Approx(50));
  CHECK(io.time_share.value() == Approx(0.25));
  CHECK(io.p99_seconds == Approx(1e-6).epsilon(0.032));
  CHECK(row_named(rows, "HLT").time_share.value() == Approx(0.75));
}

TEST_CASE("the first line says whose exits, since when, and how many") {
  CHECK(moment_of({sample()}).headline() == "4711 debian  20.0 s  1,010 hardware exits, 55/s");
  CHECK(moment_of({sample("1"), sample("2")}).headline() == "2 VMs  20.0 s  2,020 hardware exits, 110/s");
}

TEST_CASE("details and vCPUs are rows of their own") {
  const TracedMoment moment = moment_of({sample()});
  const std::vector<Row> details = moment.rows(Grouping::key, {});
  REQUIRE(details.size() == 1);
  CHECK(row_named(details, "port 0x3f8 out1").time_share.value() == Approx(0.25));
  CHECK(row_named(moment.rows(Grouping::vcpu, {}), "vcpu 1").total == 10);
}

TEST_CASE("vCPUs of several VMs are told apart by their processes, reasons are not") {
  const TracedMoment moment = moment_of({sample("1"), sample("2")});
  CHECK(row_named(moment.rows(Grouping::vcpu, {}), "2 vcpu 0").total == 1'000);
  CHECK(row_named(moment.rows(Grouping::reason, {}), "IO_INSTRUCTION").total == 2'000);
}

TEST_CASE("a reason is looked into by what it was for, or by vCPU where no event tells that") {
  const TracedMoment moment = moment_of({sample()});
  CHECK(moment.title(Grouping::key, io_instruction) == "IO_INSTRUCTION by detail");
  CHECK(moment.rows(Grouping::key, io_instruction).front().name == "port 0x3f8 out1");
  CHECK(moment.title(Grouping::key, hlt) == "HLT by vCPU");
  const std::vector<Row> halts = moment.rows(Grouping::key, hlt);
  REQUIRE(halts.size() == 1);
  CHECK(halts.front().name == "vcpu 1");
  CHECK(halts.front().total == 10);
}

TEST_CASE("where no hardware exit is announced, returns of KVM_RUN and other events are shown") {
  const TracedMoment moment = moment_of({without_exits()});
  CHECK(moment.headline() == "4711 debian  20.0 s  507 returns of KVM_RUN, 25/s");
  CHECK(moment.remark().starts_with("no hardware exits are announced here"));
  const std::vector<Row> rows = moment.rows(Grouping::reason, {});
  const Row& io = row_named(rows, "returned: io");
  CHECK(io.total == 500);
  CHECK(io.rate == Approx(25));
  CHECK_FALSE(io.time_share.has_value());
  CHECK(row_named(moment.rows(Grouping::key, io.id), "port 0x2f00 out1").total == 500);
  CHECK(moment.title(Grouping::key, io.id) == "io by detail");
  CHECK(row_named(moment.rows(Grouping::key, row_named(rows, "returned: hlt").id), "vcpu 0").total == 7);
}

TEST_CASE("the kernel's own count goes before the returns") {
  TracedSample counted = without_exits();
  counted.total.vcpus[0].kernel_exits = 900;
  counted.recent.vcpus[0].kernel_exits = 90;
  CHECK(moment_of({counted}).headline() == "4711 debian  20.0 s  900 exits by KVM's count, 45/s");
}

TEST_CASE("what has come to a VM is the remark") {
  CHECK(moment_of({sample()}).remark().empty());
  CHECK(moment_of({sample()}, "a VM has started: process 7").remark() == "a VM has started: process 7");
  CHECK(moment_of({without_exits()}, "a VM has started: process 7").remark() ==
        "a VM has started: process 7");
}

TEST_CASE("without a VM there is an empty table") {
  View view;
  view.show(std::make_shared<TracedMoment>(std::vector<TracedSample>{}, TracedMoment::Times{1, 1}, ""));
  CHECK(view.render({40, 8}, false, {}).front() == "0 VMs  1.00 s  0 returns of KVM_RUN, 0/s");
  CHECK(view.line() == "0 VMs  1.00 s  0 returns of KVM_RUN, 0/s");
}

TEST_CASE("the view's keys look into a hardware reason and come back, on 40 columns too") {
  View view;
  view.show(std::make_shared<TracedMoment>(std::vector{sample()}, TracedMoment::Times{2, 20}, ""));
  view.press(Key::down);  // from HLT, which takes most of the time
  view.press(Key::enter);
  std::string text;
  for (const std::string& line : view.render({40, 12}, false, {})) text += line + '\n';
  CHECK(text.find("IO_INSTRUCTION by") != std::string::npos);
  CHECK(text.find("> port 0x3f8 out1") != std::string::npos);
  view.press(Key::back);
  CHECK(view.render({40, 12}, false, {})[4].starts_with("> HLT"));
}

}  // namespace
}  // namespace kvmbench::live
