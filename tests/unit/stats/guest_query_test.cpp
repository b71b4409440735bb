#include "stats/guest_query.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <vector>

#include "kvmbench_abi.h"
#include "stats/recorded_counts.hpp"
#include "stats/recorder.hpp"

namespace kvmbench::stats {
namespace {

constexpr std::uint32_t io_exit = KVMBENCH_USERSPACE_REASON + 2;   // KVM_EXIT_IO
constexpr std::uint32_t hlt_exit = KVMBENCH_USERSPACE_REASON + 5;  // KVM_EXIT_HLT
constexpr std::uint32_t vmx_cpuid = 10;
constexpr std::uint32_t vmx_gap = 35;
constexpr std::uint32_t vmx_io_smi = 5;
constexpr std::uint32_t svm_npf = 0x400;

class GivenCounts final : public ExitCounts {
 public:
  Tally all_exits;
  std::map<std::uint32_t, Tally> of_userspace, of_hardware;
  std::map<std::uint32_t, Spread> spread_of_userspace, spread_of_hardware;

  Tally all() const noexcept override { return all_exits; }
  Tally userspace(std::uint32_t n) const noexcept override { return value_of(of_userspace, n); }
  Spread userspace_spread(std::uint32_t n) const noexcept override {
    return value_of(spread_of_userspace, n);
  }
  Tally hardware(std::uint32_t n) const noexcept override { return value_of(of_hardware, n); }
  Spread hardware_spread(std::uint32_t n) const noexcept override { return value_of(spread_of_hardware, n); }
  std::size_t list(std::span<ReasonTally>) const noexcept override { return 0; }

 private:
  template <class Value>
  static Value value_of(const std::map<std::uint32_t, Value>& values, std::uint32_t n) {
    const auto at = values.find(n);
    return at == values.end() ? Value{} : at->second;
  }
};

KvmHost host_of(Vendor vendor) {
  KvmHost host;
  host.vendor = vendor;
  return host;
}

const HardwareAccount traced_vmx = HardwareAccount::of(host_of(Vendor::vmx), true);
const HardwareAccount untraced_vmx = HardwareAccount::of(host_of(Vendor::vmx), false);
const HardwareAccount traced_svm = HardwareAccount::of(host_of(Vendor::svm), true);
const HardwareAccount untraced_unknown = HardwareAccount::of(host_of(Vendor::unknown), false);

constexpr Answer undefined{0, 0, 0, 0xffffffff};
constexpr Answer not_counted{0, 0, 0, 0xfffffffe};
constexpr Answer zeroes{0, 0, 0, 0};

TEST_CASE("leaf 0x4fffffff splits count and cycles over two registers each") {
  GivenCounts counts;
  counts.all_exits = {0x1111'2222'3333'4444, 0x5555'6666'7777'8888};
  CHECK(answer(0x4fffffff, 0, traced_vmx, counts) ==
        Answer{.eax = 0x33334444, .ebx = 0x55556666, .ecx = 0x77778888, .edx = 0x11112222});
}

TEST_CASE("leaf 0x4fffffff does not look at the reason") {
  GivenCounts counts;
  counts.all_exits = {7, 9};
  CHECK(answer(0x4fffffff, vmx_gap, untraced_vmx, counts) == Answer{7, 0, 9, 0});
}

TEST_CASE("leaf 0x4ffffffe gives a 64-bit count and the reason itself") {
  GivenCounts counts;
  counts.of_hardware[vmx_cpuid] = {0x1'0000'0002, 77};
  counts.of_userspace[2] = {0x3'0000'0004, 88};
  CHECK(answer(0x4ffffffe, vmx_cpuid, traced_vmx, counts) == Answer{2, 1, vmx_cpuid, 0});
  CHECK(answer(0x4ffffffe, io_exit, traced_vmx, counts) == Answer{4, 3, io_exit, 0});
}

TEST_CASE("leaf 0x4ffffffd gives 64-bit cycles and the low half of the count") {
  GivenCounts counts;
  counts.of_hardware[vmx_cpuid] = {0x1'0000'0002, 0xaaaa'bbbb'cccc'dddd};
  CHECK(answer(0x4ffffffd, vmx_cpuid, traced_vmx, counts) == Answer{2, 0xaaaabbbb, 0xccccdddd, 0});
}

TEST_CASE("leaf 0x4ffffffc saturates each of its values at 2^32-1") {
  GivenCounts counts;
  counts.spread_of_userspace[2] = {100, 0xffff'fffe, 0xffff'ffff, 0x1'0000'0000};
  counts.spread_of_hardware[vmx_cpuid] = {1, 2, 3, std::numeric_limits<Cycles>::max()};
  CHECK(answer(0x4ffffffc, io_exit, traced_vmx, counts) == Answer{100, 0xfffffffe, 0xffffffff, 0xffffffff});
  CHECK(answer(0x4ffffffc, vmx_cpuid, traced_vmx, counts) == Answer{1, 2, 3, 0xffffffff});
}

TEST_CASE("a leaf that is none of the four is undefined, whatever the reason") {
  const GivenCounts counts;
  for (const std::uint32_t leaf : {0u, 1u, 0x4ffffffbu, 0x4fffff00u, 0x50000000u, 0xffffffffu}) {
    CHECK(answer(leaf, io_exit, traced_vmx, counts) == undefined);
  }
}

TEST_CASE("a reason that the manual does not define is undefined, counted or not") {
  const GivenCounts counts;
  for (const std::uint32_t leaf : {0x4ffffffeu, 0x4ffffffdu, 0x4ffffffcu}) {
    for (const std::uint32_t reason : {vmx_gap, 38u, 42u, 86u, 0xffu, 0x80000021u}) {
      CHECK(answer(leaf, reason, traced_vmx, counts) == undefined);
      CHECK(answer(leaf, reason, untraced_vmx, counts) == undefined);
    }
  }
}

TEST_CASE("a reason is looked up in the vendor's own manual") {
  GivenCounts counts;
  counts.of_hardware[svm_npf] = {5, 6};
  CHECK(answer(0x4ffffffe, svm_npf, traced_svm, counts) == Answer{5, 0, svm_npf, 0});
  CHECK(answer(0x4ffffffe, svm_npf, traced_vmx, counts) == undefined);
  CHECK(answer(0x4ffffffe, 0xffffffff, traced_svm, counts) == Answer{0, 0, 0xffffffff, 0});  // VMEXIT_INVALID
  CHECK(answer(0x4ffffffe, 0xffffffff, traced_vmx, counts) == undefined);
}

TEST_CASE("a reason that is defined and never enabled answers zeroes, counted or not") {
  const GivenCounts counts;
  for (const std::uint32_t leaf : {0x4ffffffeu, 0x4ffffffdu, 0x4ffffffcu}) {
    CHECK(answer(leaf, vmx_io_smi, traced_vmx, counts) == zeroes);
    CHECK(answer(leaf, vmx_io_smi, untraced_vmx, counts) == zeroes);
  }
}

TEST_CASE("an enabled reason without an exit differs from one never enabled by its number") {
  const GivenCounts counts;
  CHECK(answer(0x4ffffffe, vmx_cpuid, traced_vmx, counts) == Answer{0, 0, vmx_cpuid, 0});
}

TEST_CASE("hardware reasons answer 0xfffffffe while nothing counts them") {
  const GivenCounts counts;
  for (const std::uint32_t leaf : {0x4ffffffeu, 0x4ffffffdu, 0x4ffffffcu}) {
    CHECK(answer(leaf, vmx_cpuid, untraced_vmx, counts) == not_counted);
    CHECK(answer(leaf, vmx_gap, untraced_unknown, counts) == not_counted);
  }
}

TEST_CASE("userspace reasons are counted with and without a tracer") {
  GivenCounts counts;
  counts.of_userspace[5] = {3, 4};
  for (const HardwareAccount& hardware : {traced_vmx, untraced_vmx, untraced_unknown}) {
    CHECK(answer(0x4ffffffe, hlt_exit, hardware, counts) == Answer{3, 0, hlt_exit, 0});
  }
}

TEST_CASE("userspace reasons are 0 to 63 and 0xffff, others undefined") {
  GivenCounts counts;
  counts.of_userspace[0xffff] = {1, 1};
  CHECK(answer(0x4ffffffe, 0x1003f, traced_vmx, counts) == Answer{0, 0, 0x1003f, 0});
  CHECK(answer(0x4ffffffe, 0x1ffff, traced_vmx, counts) == Answer{1, 0, 0x1ffff, 0});
  for (const std::uint32_t reason : {0x10040u, 0x1fffeu, 0x20002u, 0x30002u}) {
    CHECK(answer(0x4ffffffe, reason, traced_vmx, counts) == undefined);
  }
}

TEST_CASE("the MSRs give the same counts and cycles") {
  GivenCounts counts;
  counts.all_exits = {0x1111'2222'3333'4444, 0x5555'6666'7777'8888};
  counts.of_hardware[vmx_cpuid] = {21, 22};
  counts.of_userspace[2] = {31, 32};
  CHECK(read_msr(0, traced_vmx, counts) == 0x1111'2222'3333'4444u);
  CHECK(read_msr(1, traced_vmx, counts) == 0x5555'6666'7777'8888u);
  CHECK(read_msr(0x100 + vmx_cpuid, traced_vmx, counts) == 21u);
  CHECK(read_msr(0x200 + vmx_cpuid, traced_vmx, counts) == 22u);
  CHECK(read_msr(0x300 + 2, traced_vmx, counts) == 31u);
  CHECK(read_msr(0x400 + 2, traced_vmx, counts) == 32u);
}

TEST_CASE("SVM's reasons from 0x400 on have MSRs of their own") {
  GivenCounts counts;
  counts.of_hardware[svm_npf] = {41, 42};
  CHECK(read_msr(0x500, traced_svm, counts) == 41u);
  CHECK(read_msr(0x600, traced_svm, counts) == 42u);
}

TEST_CASE("an MSR without a count has the mark of a query in its high half") {
  const GivenCounts counts;
  CHECK(read_msr(0x100 + vmx_gap, traced_vmx, counts) == 0xffff'ffff'0000'0000u);
  CHECK(read_msr(0x200 + vmx_gap, traced_vmx, counts) == 0xffff'ffff'0000'0000u);
  CHECK(read_msr(0x100 + vmx_cpuid, untraced_vmx, counts) == 0xffff'fffe'0000'0000u);
  CHECK(read_msr(0x300 + 64, traced_vmx, counts) == 0xffff'ffff'0000'0000u);
  CHECK(read_msr(0x100 + vmx_io_smi, untraced_vmx, counts) == 0u);
}

TEST_CASE("the MSRs between and behind the groups are none") {
  const GivenCounts counts;
  for (const std::uint32_t index : {2u, 0xffu, 0x700u, 0xffffffffu}) {
    CHECK_FALSE(read_msr(index, traced_vmx, counts).has_value());
  }
}

TEST_CASE("the CPUID leaves name the interface and say where it is") {
  InterfaceLeaves given{.first_port = 0x0e00,
                        .first_msr = 0x4b4d4200,
                        .features = 0x17,
                        .vendor = Vendor::svm,
                        .first_page = 0x1'e000'0000,
                        .tsc_khz = 2'600'000};
  const auto leaves = cpuid_leaves(given);
  CHECK(leaves[0] == Answer{0x4fffff02, 0x626d766b, 0x68636e65, 0x74617473});
  CHECK(leaves[1] == Answer{1, 0x0e00, 0x4b4d4200, 0x217});
  CHECK(leaves[2] == Answer{0xe000'0000, 1, 4096, 2'600'000});

  given.features = KVMBENCH_FEATURE_PORT;
  CHECK(cpuid_leaves(given)[1] == Answer{1, 0x0e00, 0, 0x201});
  CHECK(cpuid_leaves(given)[2] == Answer{0, 0, 0, 2'600'000});
}

// What the machine gives its guest, from a recorder.

void exit_of(Recorder& recorder, RecordedCounts& counts, std::uint32_t reason, std::uint64_t address,
             Cycles service) {
  recorder.record({.address = address, .reason = reason}, 1, service);
  counts.add(reason, service);
}

TEST_CASE("recorded counts are sums by reason over all keys") {
  Recorder recorder(0);
  RecordedCounts counts(recorder);
  exit_of(recorder, counts, 2, 0x3f8, 10);
  exit_of(recorder, counts, 2, 0x80, 20);
  exit_of(recorder, counts, 6, 0xfee0'0000, 5);
  CHECK(counts.all() == Tally{3, 35});
  CHECK(counts.userspace(2) == Tally{2, 30});
  CHECK(counts.userspace(6) == Tally{1, 5});
  CHECK(counts.userspace(5) == Tally{});
}

TEST_CASE("recorded counts keep what is no reason below 64 under 0xffff") {
  Recorder recorder(0);
  RecordedCounts counts(recorder);
  exit_of(recorder, counts, error_reason | 11, 0, 10);
  exit_of(recorder, counts, 64, 0, 30);
  exit_of(recorder, counts, 63, 0, 100);
  CHECK(counts.userspace(0xffff) == Tally{2, 40});
  CHECK(counts.userspace_spread(0xffff) == Spread{10, 10, 30, 30});
  CHECK(counts.userspace(63) == Tally{1, 100});
}

TEST_CASE("the spread of a reason is that of all its keys together") {
  Recorder recorder(0);
  RecordedCounts counts(recorder);
  for (Cycles service = 1; service <= 20; ++service) {  // below 32 the histogram is exact
    exit_of(recorder, counts, 2, service % 4, service);
  }
  exit_of(recorder, counts, 6, 0, 1000);
  CHECK(counts.userspace_spread(2) == Spread{1, 10, 20, 20});
  CHECK(counts.userspace_spread(5) == Spread{});
}

TEST_CASE("a spread is that of all exits until then, whenever it is asked for") {
  Recorder recorder(0);
  RecordedCounts counts(recorder);
  CHECK(counts.userspace_spread(2) == Spread{});
  exit_of(recorder, counts, 2, 0x3f8, 10);
  CHECK(counts.userspace_spread(2) == Spread{10, 10, 10, 10});
  CHECK(counts.userspace_spread(2) == Spread{10, 10, 10, 10});
  exit_of(recorder, counts, 2, 0x80, 4);
  exit_of(recorder, counts, 2, 0x3f8, 20);
  CHECK(counts.userspace_spread(2) == Spread{4, 10, 20, 20});
  exit_of(recorder, counts, 6, 0, 1);
  CHECK(counts.userspace_spread(2) == Spread{4, 10, 20, 20});
  CHECK(counts.userspace_spread(6) == Spread{1, 1, 1, 1});
}

TEST_CASE("reasons with a count are listed in ascending order, as far as there is room") {
  Recorder recorder(0);
  RecordedCounts counts(recorder);
  exit_of(recorder, counts, error_reason | 11, 0, 1);
  exit_of(recorder, counts, 6, 0, 2);
  exit_of(recorder, counts, 2, 0, 3);
  std::vector<ReasonTally> listed(2);
  CHECK(counts.list(listed) == 3);
  CHECK(listed == std::vector<ReasonTally>{{0x10002, {1, 3}}, {0x10006, {1, 2}}});
  listed.resize(4);
  CHECK(counts.list(listed) == 3);
  CHECK(listed[2] == ReasonTally{0x1ffff, {1, 1}});
}

}  // namespace
}  // namespace kvmbench::stats
