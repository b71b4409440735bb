#include "report/merge.hpp"

#include <linux/kvm.h>

#include <catch2/catch.hpp>
#include <random>

#include "base/error.hpp"
#include "report/formats.hpp"
#include "sample.hpp"

namespace kvmbench::report {
namespace {

using namespace testing;
using Catch::Contains;

Report merged(const std::vector<Report>& reports) {
  Merger merger;
  for (const Report& report : reports) merger.add(report, "r.json");
  return merger.take();
}

class RandomReports final {
 public:
  explicit RandomReports(unsigned seed) : random_(seed) {}

  Report report() {
    Report report = report_of({});
    report.wall_seconds = std::uniform_real_distribution<double>(0, 1000)(random_);
    report.runs = below(5) + 1;
    report.started = "2026-01-0" + std::to_string(below(9) + 1);
    report.exit_status = static_cast<int>(below(4)) - 1;
    report.host = facts();
    report.machine = facts();
    report.snapshot.began = below(1'000);
    report.snapshot.taken = report.snapshot.began + below(1'000'000);
    report.snapshot.tsc_khz += below(900);
    report.snapshot.phases.resize(1 + below(4));
    std::vector<stats::Phase>& phases = report.snapshot.phases;
    for (std::size_t i = 1; i < phases.size(); ++i) {
      const auto code = static_cast<std::uint32_t>(3 * i + below(3));
      phases[i] = {{stats::PhaseLabel::Kind::post_code, code, {}}, below(5'000)};
    }
    report.snapshot.vcpus.clear();
    for (std::uint32_t vcpu = 0; vcpu < 3; ++vcpu) {
      if (below(3) != 0) report.snapshot.vcpus.push_back(this->vcpu(vcpu, report));
    }
    if (below(3) != 0) {
      report.snapshot.tracer = {below(3), below(3), {}};
      for (const char* event : {"kvm_msr", "kvm_apic"}) {
        if (below(2) != 0) report.snapshot.tracer->absent_events.emplace_back(event);
      }
      for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
        if (below(4) != 0) vcpu.traced = traced();
      }
    }
    counters(report);
    if (below(2) != 0)
      report.snapshot.operations = {{"disk", {{"requests", below(100)}, {"bytes", below(9)}}}};
    if (below(2) != 0) report.snapshot.operations.push_back({"net", {{"packets", below(100)}}});
    return report;
  }

 private:
  std::uint64_t below(std::uint64_t limit) {
    return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random_);
  }

  Facts facts() {
    Facts facts;
    for (const char* name : {"b", "a", "c"}) {
      if (below(4) != 0) facts.emplace_back(name, std::to_string(below(2)));
    }
    return facts;
  }

  stats::TimeStats times(std::uint64_t most) {
    stats::TimeStats times;
    for (std::uint64_t i = below(most + 1); i > 0; --i) times.add(below(1'000'000));
    return times;
  }

  stats::TracedExits traced() {
    using Kind = stats::HardwareDetail::Kind;
    stats::TracedExits traced;
    if (below(3) == 0) return traced;  // no exit yet
    traced.vendor = stats::Vendor::vmx;
    traced.entries = below(99);
    traced.emulated = below(9);
    traced.without_reason = below(2);
    traced.without_detail = below(2);
    for (const std::uint32_t number : {1u, 30u, 48u, 0x8000'0021u}) {
      if (below(2) == 0) continue;
      stats::HardwareReasonStats reason{number, 5 + below(9), below(5), times(4), times(2)};
      traced.exits += reason.count;
      traced.reasons.push_back(reason);
    }
    for (const Kind kind : {Kind::port, Kind::msr}) {
      for (std::uint64_t value = 0; value < 3; ++value) {
        if (below(2) != 0)
          traced.details.push_back({{kind, Direction::read, 1, value}, below(9), below(9), below(999)});
      }
    }
    for (std::uint32_t number = 2; number < 5; ++number) {
      if (below(2) != 0) traced.returns.push_back({number, below(9)});
    }
    return traced;
  }

  void counters(Report& report) {
    for (stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
      for (const char* name : {"halts", "exits"}) {
        stats::KernelCounter counter;
        counter.name = name;
        counter.type =
            below(3) == 0 ? stats::KernelCounter::Type::peak : stats::KernelCounter::Type::cumulative;
        counter.values = {below(99)};
        if (below(3) != 0) vcpu.counters.push_back(counter);
      }
    }
  }

  stats::VcpuSnapshot vcpu(std::uint32_t number, Report& report) {
    stats::VcpuSnapshot vcpu{number, below(1'000), {}};
    if (below(4) != 0) vcpu.kernel_exits = below(1'000);
    for (std::uint16_t phase = 0; phase < report.snapshot.phases.size(); ++phase) {
      for (std::uint16_t number = 0; number < 4; ++number) {
        if (below(2) == 0) continue;
        stats::KeyStats key{in_phase(port(number, Direction::read, 1), phase), below(9), below(9), {}, {}};
        for (std::uint64_t i = below(4); i > 0; --i) {
          key.service.add(below(1'000'000));
          key.run.add(below(50));
        }
        // A port has one name in a report, and not the same in all of them.
        if (report.name_of(key.key) == KeyName{} && number % 2 == 0)
          report.set_name(key.key, {"device", number == 2 && report.runs == 1 ? "other" : "data"});
        vcpu.keys.push_back(key);
        const std::uint64_t rip = 0x1000 + below(3);
        vcpu.sites.push_back({{key.key, rip}, 1 + below(9), below(1'000)});
        vcpu.sites.back().site.key.phase = 0;
        if (below(2) != 0) report.symbols[rip] = below(2) != 0 ? "one" : "other";
      }
    }
    return vcpu;
  }

  std::mt19937 random_;
};

TEST_CASE("merging is associative and commutative") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    RandomReports random(seed);
    const Report a = random.report(), b = random.report(), c = random.report();
    const std::string whole = to_json(merged({a, b, c}));
    CHECK(to_json(merged({merged({a, b}), c})) == whole);
    CHECK(to_json(merged({a, merged({b, c})})) == whole);
    CHECK(to_json(merged({c, a, b})) == whole);
    CHECK(to_json(merged({b, merged({c, a})})) == whole);
    CHECK(to_json(merged({merged({a}), merged({b}), merged({c})})) == whole);
    CHECK(to_json(from_json(whole, "whole")) == whole);
  }
}

TEST_CASE("counts, sums, least, greatest and histograms are exact") {
  const stats::ExitKey thr = port(0x3f8, Direction::write, 1);
  const Report a = report_of({exits(thr, 3, 100, 1'000)}), b = report_of({exits(thr, 5, 20, 4'000)});
  const Report both = merged({a, b});
  REQUIRE(both.snapshot.vcpus.size() == 1);
  REQUIRE(both.snapshot.vcpus[0].keys.size() == 1);
  const stats::KeyStats& key = both.snapshot.vcpus[0].keys[0];
  CHECK(both.runs == 2);
  CHECK(both.snapshot.vcpus[0].exits == 8);
  CHECK(key.count == 8);
  CHECK(key.service.sum == 400);
  CHECK(key.service.min == 20);
  CHECK(key.service.max == 100);
  CHECK(key.service.histogram.in_bucket(stats::buckets::index_of(100)) == 3);
  CHECK(key.service.histogram.in_bucket(stats::buckets::index_of(20)) == 5);
  CHECK(both.snapshot.taken - both.snapshot.began == 2 * 2'350'000'000);
  CHECK(both.wall_seconds == Approx(4.7));
}

TEST_CASE("phases are added by what began them, wherever they are in their run") {
  using Kind = stats::PhaseLabel::Kind;
  const stats::ExitKey thr = port(0x3f8, Direction::write, 1);
  Report a = report_of({exits(in_phase(thr, 1), 3, 1, 1), exits(in_phase(thr, 2), 4, 1, 1)});
  a.snapshot.phases = {
      {{}, 1'000}, {{Kind::post_code, 0x20, {}}, 1'500}, {{Kind::post_code, 0x10, {}}, 1'700}};
  Report b = report_of({exits(in_phase(thr, 1), 10, 1, 1)});
  b.snapshot.phases = {{{}, 1'000}, {{Kind::post_code, 0x10, {}}, 1'200}};
  const Report both = merged({a, b});
  REQUIRE(both.snapshot.phases.size() == 3);
  CHECK(both.snapshot.phases[1] == stats::Phase{{Kind::post_code, 0x10, {}}, 200});
  CHECK(both.snapshot.phases[2] == stats::Phase{{Kind::post_code, 0x20, {}}, 500});
  const std::vector<stats::KeyStats>& keys = both.snapshot.vcpus[0].keys;
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].key.phase == 1);
  CHECK(keys[0].count == 14);
  CHECK(keys[1].count == 3);
}

TEST_CASE("what is not the same in all is various") {
  Report a = rich_report(), b = rich_report();
  b.machine[0].second = "@mix";
  b.ending = "time limit";
  b.exit_status = 124;
  b.set_name(port(0x3f8, Direction::write, 1), {"uart0", "RBR"});
  b.snapshot.vcpus[1].kernel_exits.reset();
  const Report both = merged({a, b});
  CHECK(both.host == a.host);
  CHECK(both.machine == Facts{a.machine[1], {"image", "(various)"}});
  CHECK(both.ending == "(various)");
  CHECK(both.exit_status == 124);
  CHECK(both.name_of(port(0x3f8, Direction::write, 1)) == KeyName{"(various)", "(various)"});
  CHECK(both.snapshot.vcpus[0].kernel_exits == 2 * 12'054);
  CHECK_FALSE(both.snapshot.vcpus[1].kernel_exits.has_value());
}

TEST_CASE("operations are added by device and name") {
  Report a = rich_report(), b = rich_report();
  b.snapshot.operations = {{"virtio-blk0", {{"requests", 5}}}};
  CHECK(merged({a, b}).snapshot.operations ==
        std::vector<stats::DeviceOperations>{{"e1000.0", {{"packets", 0}}},
                                             {"virtio-blk0", {{"bytes", 245'760}, {"requests", 65}}}});
}

TEST_CASE("the kernel's counters add up by name, and peaks stay") {
  using Counter = stats::KernelCounter;
  const auto counter = [](const char* name, Counter::Type type, std::vector<std::uint64_t> values) {
    Counter counter;
    counter.name = name;
    counter.type = type;
    counter.values = std::move(values);
    return counter;
  };
  Report a = report_of({}), b = report_of({});
  a.snapshot.vcpus[0].counters = {counter("exits", Counter::Type::cumulative, {5}),
                                  counter("halt_hist", Counter::Type::log_histogram, {1, 2, 3})};
  b.snapshot.vcpus[0].counters = {counter("halt_hist", Counter::Type::log_histogram, {4, 0, 1}),
                                  counter("exits", Counter::Type::cumulative, {7})};
  a.snapshot.counters = {counter("pages", Counter::Type::peak, {90})};
  b.snapshot.counters = {counter("pages", Counter::Type::peak, {30}),
                         counter("exits", Counter::Type::cumulative, {1, 2})};
  const stats::Snapshot both = merged({a, b}).snapshot;
  CHECK(both.vcpus[0].counters ==
        stats::KernelCounters{counter("exits", Counter::Type::cumulative, {12}),
                              counter("halt_hist", Counter::Type::log_histogram, {5, 2, 4})});
  CHECK(both.counters == stats::KernelCounters{counter("exits", Counter::Type::cumulative, {1, 2}),
                                               counter("pages", Counter::Type::peak, {90})});
  b.snapshot.vcpus[0].counters[1].values[0] = ~std::uint64_t{0};
  CHECK_THROWS_WITH(merged({a, b}), Contains("a counter of the kernel's passes what a report may have"));
}

TEST_CASE("sums that would pass 2^64 and cycles of another length are refused") {
  Report a = report_of({exits(port(1, Direction::read, 1), 1, 1, 1)}), b = a;
  a.snapshot.vcpus[0].keys[0].service.sum = ~std::uint64_t{0} - 5;
  b.snapshot.vcpus[0].keys[0].service.sum = 5;
  CHECK_THROWS_WITH(merged({a, b}), Contains("r.json: with it a sum passes 2^64"));
  Report c = report_of({});
  c.snapshot.tsc_khz = 2'000'000;
  CHECK_THROWS_WITH(merged({report_of({}), c}),
                    Contains("r.json: its TSC runs at 2000000 kHz, that of others at 1000000"));
}

TEST_CASE("hardware exits are added by vCPU and reason, and what they were for by itself") {
  const Report both = merged({traced_report(), traced_report()});
  const stats::TracedExits once = traced_report().snapshot.vcpus[0].traced.value();
  const stats::TracedExits& twice = both.snapshot.vcpus[0].traced.value();
  CHECK(twice.vendor == stats::Vendor::svm);
  CHECK(twice.exits == 2 * once.exits);
  CHECK(twice.entries == 2 * once.entries);
  CHECK(twice.emulated == 2 * once.emulated);
  REQUIRE(twice.reasons.size() == once.reasons.size());
  CHECK(twice.reasons[0].count == 2 * once.reasons[0].count);
  CHECK(twice.reasons[0].returned == 2 * once.reasons[0].returned);
  CHECK(twice.reasons[0].out_of_guest.sum == 2 * once.reasons[0].out_of_guest.sum);
  CHECK(twice.reasons[0].out_of_guest.min == once.reasons[0].out_of_guest.min);
  CHECK(twice.reasons[0].out_of_guest.max == once.reasons[0].out_of_guest.max);
  CHECK(twice.details[0].count == 2 * once.details[0].count);
  CHECK(twice.returns == std::vector<stats::ReturnCount>{{KVM_EXIT_IO, 4'048}, {KVM_EXIT_MMIO, 60}});
  CHECK(both.snapshot.tracer->absent_events == std::vector<std::string>{"kvm_hypercall"});
  CHECK(both.snapshot.vcpus[1].traced->without_detail == 4);
}

TEST_CASE("a traced and an untraced report have the traced one's hardware exits") {
  const Report both = merged({rich_report(), traced_report()});
  CHECK(both.snapshot.vcpus[0].traced == traced_report().snapshot.vcpus[0].traced);
  CHECK_FALSE(merged({rich_report(), rich_report()}).snapshot.tracer.has_value());
}

TEST_CASE("hardware exits of two vendors are not added up") {
  Report intel = traced_report();
  for (stats::VcpuSnapshot& vcpu : intel.snapshot.vcpus) vcpu.traced->vendor = stats::Vendor::vmx;
  CHECK_THROWS_WITH(merged({traced_report(), intel}),
                    Contains("r.json: its hardware exits are those of VMX, those of others of SVM"));
}

TEST_CASE("hardware exits under two ways of paging are not added up, in whatever order reports come") {
  Report nested = traced_report(), shadow = traced_report(), untraced = rich_report();
  nested.host = {{"paging", "nested (npt=Y)"}};
  shadow.host = untraced.host = {{"paging", "shadow (npt=N)"}};
  CHECK_THROWS_WITH(merged({nested, shadow}),
                    Contains("several ways of paging (nested (npt=Y), shadow (npt=N))"));
  CHECK_THROWS_WITH(merged({nested, untraced}), Contains("several ways of paging"));
  CHECK_THROWS_WITH(merged({untraced, nested}), Contains("several ways of paging"));
  Report other = rich_report();
  other.host = nested.host;
  CHECK_THROWS_WITH(merged({merged({untraced, other}), nested}), Contains("several ways of paging"));
}

TEST_CASE("sums of hardware exits that would pass 2^64 are refused") {
  Report a = traced_report(), b = traced_report();
  a.snapshot.vcpus[0].traced->reasons[0].count = ~std::uint64_t{0} - 100;
  CHECK_THROWS_WITH(merged({a, b}), Contains("a sum of the hardware's exits passes 2^64"));
  Report c = traced_report();
  c.snapshot.tracer->missed_events = ~std::uint64_t{0};
  b.snapshot.tracer->missed_events = 1;
  CHECK_THROWS_WITH(merged({b, c}), Contains("events that tracers missed pass 2^64"));
}

}  // namespace
}  // namespace kvmbench::report
