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
  CHECK_THROWS_WITH(merged({a, b}), Contains("a counter of the kernel's passes 2^64"));
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

}  // namespace
}  // namespace kvmbench::report
