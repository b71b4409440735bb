#include "guests/linux/sample.hpp"

#include <catch2/catch.hpp>
#include <map>

namespace kvmbench::guest {
namespace {

constexpr std::uint32_t io = 0x10002;
constexpr std::uint32_t hlt = 0x10005;

/// Answers as kvmbench does, each question counted as three exits of io.
class Machine final : public Questions {
 public:
  struct Vcpu {
    bool reachable = true;
    std::map<std::uint32_t, std::uint64_t> counts;
    std::uint64_t asked = 0;
  };
  std::vector<Vcpu> all;
  bool at_home = true;

  std::vector<unsigned> vcpus() override {
    std::vector<unsigned> indices;
    for (unsigned i = 0; i < all.size(); ++i) indices.push_back(i);
    return indices;
  }
  bool turn_to(unsigned vcpu) override {
    at_home = false;
    current_ = vcpu;
    return all[vcpu].reachable;
  }
  kvmbench_answer ask(std::uint32_t leaf, std::uint32_t reason) override {
    Vcpu& vcpu = all[current_];
    const kvmbench_answer answer = answer_of(vcpu, leaf, reason);
    vcpu.asked += 3;
    vcpu.counts[io] += 3;
    return answer;
  }
  std::uint64_t exits() const override { return all[current_].asked; }
  void done() override { at_home = true; }

 private:
  static std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
  static std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

  /// Each exit of reason r has taken r & 0xff cycles.
  static kvmbench_answer answer_of(const Vcpu& vcpu, std::uint32_t leaf, std::uint32_t reason) {
    if (leaf == KVMBENCH_LEAF_ALL) {
      std::uint64_t exits = 0;
      for (const auto& [known, count] : vcpu.counts) exits += count;
      return {low(exits), high(10 * exits), low(10 * exits), high(exits)};
    }
    if (reason < KVMBENCH_USERSPACE_REASON && !vcpu.counts.contains(reason)) return {0, 0, 0, 0xfffffffe};
    const auto at = vcpu.counts.find(reason);
    const std::uint64_t count = at != vcpu.counts.end() ? at->second : 0;
    const std::uint64_t cycles = count * (reason & 0xff);
    if (leaf == KVMBENCH_LEAF_COUNT) return {low(count), high(count), reason, 0};
    return {low(count), high(cycles), low(cycles), 0};
  }

  unsigned current_ = 0;
};

kvmbench_interface interface_with(std::uint32_t features) {
  kvmbench_interface interface {};
  interface.features = features;
  return interface;
}
const kvmbench_interface untraced = interface_with(KVMBENCH_FEATURE_PORT);

TEST_CASE("a sample sums over the vCPUs that can be reached") {
  Machine machine;
  machine.all.resize(3);
  machine.all[0].counts = {{hlt, 5}};
  machine.all[1].counts = {{hlt, 1'000}};
  machine.all[1].reachable = false;
  machine.all[2].counts = {{hlt, 0x1'0000'0000}, {0x1ffff, 2}};
  const Sample sample = take_sample(machine, untraced, Detail::reasons);
  REQUIRE(sample.vcpus.size() == 2);
  CHECK(sample.vcpus[1].vcpu == 2);
  CHECK(sample.exits() == 0x1'0000'0007);
  CHECK(sample.cycles() == 10 * sample.exits());
  REQUIRE(sample.find(hlt) != nullptr);
  CHECK(sample.find(hlt)->count == 0x1'0000'0005);
  CHECK(sample.find(hlt)->cycles == 5 * 0x1'0000'0005);
  CHECK(sample.find(0x1ffff)->count == 2);
  CHECK(sample.find(0x10006) == nullptr);
  CHECK(machine.at_home);
}

TEST_CASE("totals ask one question of each vCPU") {
  Machine machine;
  machine.all.resize(2);
  const Sample sample = take_sample(machine, untraced, Detail::totals);
  CHECK(machine.all[0].asked == 3);
  CHECK(machine.all[1].asked == 3);
  CHECK(sample.reasons.empty());
}

TEST_CASE("hardware reasons are asked for where they are counted, and marks are no counts") {
  Machine machine;
  machine.all.resize(1);
  machine.all[0].counts = {{0x78, 4}};
  CHECK(take_sample(machine, untraced, Detail::reasons).find(0x78) == nullptr);
  const auto traced_svm = interface_with(KVMBENCH_FEATURE_PORT | KVMBENCH_FEATURE_HARDWARE | 2u << 8);
  const Sample sample = take_sample(machine, traced_svm, Detail::reasons);
  REQUIRE(sample.find(0x78) != nullptr);
  CHECK(sample.find(0x78)->count == 4);
  CHECK(sample.find(0x7b) == nullptr);
}

TEST_CASE("of two samples' difference, the exits that asking caused are known exactly") {
  Machine machine;
  machine.all.resize(2);
  machine.all[0].counts = {{io, 100}, {hlt, 7}};
  const Sample before = take_sample(machine, untraced, Detail::reasons);
  machine.all[0].counts[io] += 20;
  machine.all[1].counts[io] += 3;
  machine.all[1].counts[hlt] += 1;
  const Sample growth = take_sample(machine, untraced, Detail::reasons) - before;
  REQUIRE(growth.find(io) != nullptr);
  CHECK(growth.find(io)->count - growth.own_exits == 23);
  REQUIRE(growth.reasons.size() == 2);  // what has not grown is not there
  CHECK(growth.find(hlt)->count == 1);
  REQUIRE(growth.vcpus.size() == 2);
  for (const std::size_t vcpu : {std::size_t{0}, std::size_t{1}}) {
    INFO("vCPU " << vcpu);
    REQUIRE_FALSE(growth.vcpus[vcpu].reasons.empty());
    const ReasonCount& first = growth.vcpus[vcpu].reasons[0];
    REQUIRE(first.reason == io);
    CHECK(first.count - growth.vcpus[vcpu].own_exits == (vcpu == 0 ? 20 : 3));
  }
  CHECK(growth.vcpus[0].reasons.size() == 1);
  CHECK(growth.vcpus[1].reasons.size() == 2);
}

TEST_CASE("a vCPU that comes between two samples counts from its beginning") {
  Machine machine;
  machine.all.resize(2);
  machine.all[1].reachable = false;
  const Sample before = take_sample(machine, untraced, Detail::totals);
  machine.all[1].reachable = true;
  machine.all[1].counts = {{hlt, 50}};
  const Sample growth = take_sample(machine, untraced, Detail::totals) - before;
  CHECK(growth.vcpus[1].exits == 50);
}

TEST_CASE("reasons have the names of the host's reports") {
  CHECK(ReasonCount{io, 0, 0}.name(0) == "io");
  CHECK(ReasonCount{0x1003f, 0, 0}.name(0) == "exit 63");
  CHECK(ReasonCount{0x1ffff, 0, 0}.name(0) == "further");
  CHECK(ReasonCount{30, 0, 0}.name(KVMBENCH_VENDOR_VMX) == "IO_INSTRUCTION");
  CHECK(ReasonCount{0x400, 0, 0}.name(KVMBENCH_VENDOR_SVM) == "NPF");
  CHECK(ReasonCount{0xffffffff, 0, 0}.name(KVMBENCH_VENDOR_SVM) == "INVALID");
  CHECK(ReasonCount{io, 0, 0}.number() == 2);
}

}  // namespace
}  // namespace kvmbench::guest
