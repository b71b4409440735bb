#include "stats/hardware_reasons.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <initializer_list>
#include <set>
#include <string>

namespace kvmbench::stats {
namespace {

void check_all(const ReasonSet& set, std::initializer_list<std::uint32_t> reasons) {
  for (const std::uint32_t reason : reasons) {
    CAPTURE(reason);
    CHECK(set.contains(reason));
  }
}

void check_none(const ReasonSet& set, std::initializer_list<std::uint32_t> reasons) {
  for (const std::uint32_t reason : reasons) {
    CAPTURE(reason);
    CHECK_FALSE(set.contains(reason));
  }
}

KvmHost vmx_host() {
  KvmHost host;
  host.vendor = Vendor::vmx;
  return host;
}

KvmHost svm_host() {
  KvmHost host;
  host.vendor = Vendor::svm;
  return host;
}

TEST_CASE("VMX's reasons are those of the SDM's appendix C, with its gaps") {
  const ReasonSet defined = defined_reasons(Vendor::vmx);
  check_all(defined, {0, 12, 30, 34, 36, 48, 49, 70, 72, 79, 80, 81, 84, 85});
  check_none(defined, {35, 38, 42, 71, 82, 83, 86, 0x400, 0xffff'ffff});
}

TEST_CASE("SVM's reasons are those of the APM's appendix C, the negative ones included") {
  const ReasonSet defined = defined_reasons(Vendor::svm);
  check_all(defined,
            {0x00, 0x1f, 0x5f, 0x60, 0x72, 0x7b, 0x8d, 0x9f, 0xa6, 0x400, 0x403, 0xffff'ffff, 0xffff'fffc});
  check_none(defined, {0xa7, 0xff, 0x404, 0x100, 0x3ff, 0xffff'fffb});
}

TEST_CASE("an unknown vendor's manual defines nothing") {
  CHECK(defined_reasons(Vendor::unknown).size() == 0);
  CHECK(hardware_reason(Vendor::unknown, 0) == nullptr);
}

TEST_CASE("reasons are in ascending order, each with a name of its own") {
  for (const Vendor vendor : {Vendor::vmx, Vendor::svm}) {
    const auto all = hardware_reasons(vendor);
    CHECK(std::ranges::adjacent_find(all, std::ranges::greater_equal{}, &HardwareReason::number) ==
          all.end());
    for (const HardwareReason& reason : all) {
      CHECK(std::ranges::count(all, reason.name, &HardwareReason::name) == 1);
    }
  }
}

TEST_CASE("reasons have the manuals' names") {
  CHECK(hardware_reason(Vendor::vmx, 30)->name == "IO_INSTRUCTION");
  CHECK(hardware_reason(Vendor::vmx, 49)->name == "EPT_MISCONFIG");
  CHECK(hardware_reason(Vendor::svm, 0x4e)->name == "EXCP14");
  CHECK(hardware_reason(Vendor::svm, 0x7b)->name == "IOIO");
  CHECK(hardware_reason(Vendor::svm, 0x400)->name == "NPF");
  CHECK(hardware_reason(Vendor::svm, 0xffff'ffff)->name == "INVALID");
  CHECK(hardware_reason(Vendor::vmx, 35) == nullptr);
}

TEST_CASE("a number that no vendor defines is in no set") {
  ReasonSet set;
  set.insert(0x12345);
  CHECK(set.size() == 0);
  CHECK_FALSE(set.contains(0x12345));
}

TEST_CASE("of a host of which nothing is known, only SMM's exits are known never to be enabled") {
  const ReasonSet vmx = never_enabled(vmx_host());
  check_all(vmx, {5, 6, 17});
  CHECK(vmx.size() == 3);
  CHECK(never_enabled(svm_host()).size() == 0);
  CHECK(never_enabled(KvmHost{}).size() == 0);
}

TEST_CASE("without EPT there are no EPT exits and no page-modification log") {
  KvmHost host = vmx_host();
  host.parameters = {{"ept", "N"}};
  const ReasonSet never = never_enabled(host);
  check_all(never, {48, 49, 62});
  check_none(never, {14, 28});
}

TEST_CASE("with EPT, INVLPG does not exit unless a nested hypervisor makes it") {
  KvmHost host = vmx_host();
  host.parameters = {{"ept", "Y"}};
  check_none(never_enabled(host), {14, 48});  // nesting unknown
  host.parameters.insert_or_assign("nested", std::string("Y"));
  check_none(never_enabled(host), {14, 48});
  host.parameters.insert_or_assign("nested", std::string("N"));
  check_all(never_enabled(host), {14});
}

TEST_CASE("VMX's other module parameters leave off what depends on them") {
  KvmHost host = vmx_host();
  host.parameters = {{"pml", "N"},          {"preemption_timer", "N"}, {"vnmi", "N"},  {"ple_gap", "0"},
                     {"flexpriority", "N"}, {"enable_apicv", "N"},     {"nested", "0"}};
  check_all(never_enabled(host), {62, 52, 8, 40, 44, 45, 56});
  host.parameters.insert_or_assign("nested", std::string("1"));
  const ReasonSet never = never_enabled(host);
  check_all(never, {62, 52});
  check_none(never, {8, 40, 44, 45, 56});
}

TEST_CASE("a parameter with a value that says neither on nor off says nothing") {
  KvmHost host = vmx_host();
  for (const char* value : {"", "-1", "auto"}) {
    host.parameters = {{"ept", value}, {"pml", value}};
    CHECK(never_enabled(host).size() == 3);
  }
}

TEST_CASE("what \"vmx flags\" lacks, the CPU cannot do") {
  KvmHost host = vmx_host();
  host.vmx_flags = {"vnmi", "preemption_timer", "mtf", "vtpr", "vapic", "ept", "vpid", "ple",
                    "pml",  "vapic_reg"};
  const ReasonSet never = never_enabled(host);
  check_all(never, {45, 67, 68, 75});
  check_none(never, {8, 37, 40, 43, 44, 48, 49, 50, 52, 53, 56, 62});

  host.vmx_flags = {"vid"};
  check_all(never_enabled(host), {8, 37, 43, 44, 48, 49, 50, 52, 53, 62});
  check_none(never_enabled(host), {45, 56, 40});
}

TEST_CASE("a control that cannot be 1 rules out the exits that need it") {
  KvmHost host = vmx_host();
  host.controls.pin_based = ~std::uint64_t{0} & ~(std::uint64_t{1} << (32 + 6));
  host.controls.processor_based = ~std::uint64_t{0} & ~(std::uint64_t{1} << (32 + 12));
  host.controls.processor_based2 = ~std::uint64_t{0} & ~(std::uint64_t{1} << (32 + 16));
  host.controls.processor_based3 = ~std::uint64_t{1};
  const ReasonSet never = never_enabled(host);
  check_all(never, {52, 16, 61, 69});
  CHECK(never.size() == 3 + 4);
}

TEST_CASE("an exit that two controls can cause needs both to be impossible") {
  KvmHost host = vmx_host();
  host.controls.processor_based2 = ~std::uint64_t{0} & ~(std::uint64_t{1} << (32 + 8));
  check_none(never_enabled(host), {56});
  host.controls.processor_based2 = ~std::uint64_t{0} & ~(std::uint64_t{0x300} << 32);
  check_all(never_enabled(host), {56, 45});
}

TEST_CASE("a CPU without secondary and tertiary controls has none of their exits") {
  KvmHost host = vmx_host();
  host.controls.processor_based = ~std::uint64_t{0} & ~(std::uint64_t{1} << 63) & ~(std::uint64_t{1} << 49);
  check_all(never_enabled(host), {48, 49, 54, 62, 69, 74});
  check_none(never_enabled(host), {7, 10, 12, 28, 30});
}

TEST_CASE("without nested paging there are no nested page faults") {
  KvmHost host = svm_host();
  host.parameters = {{"npt", "N"}};
  check_all(never_enabled(host), {0x400});
  check_none(never_enabled(host), {0x03, 0x13, 0x4e, 0x79});

  host.parameters.clear();
  host.cpu_flags = {"svm", "avic"};
  check_all(never_enabled(host), {0x400});
}

TEST_CASE("with nested paging CR3, #PF and INVLPG do not exit unless a nested hypervisor makes them") {
  KvmHost host = svm_host();
  host.parameters = {{"npt", "Y"}, {"nested", "1"}};
  check_none(never_enabled(host), {0x03, 0x13, 0x4e, 0x79, 0x400});
  host.parameters.insert_or_assign("nested", std::string("0"));
  check_all(never_enabled(host), {0x03, 0x13, 0x4e, 0x79});
  check_none(never_enabled(host), {0x400, 0x00, 0x10});
}

TEST_CASE("AVIC's exits need AVIC") {
  KvmHost host = svm_host();
  host.parameters = {{"avic", "N"}};
  check_all(never_enabled(host), {0x401, 0x402});
  host.parameters = {{"avic", "Y"}};
  check_none(never_enabled(host), {0x401, 0x402});
  host.cpu_flags = {"svm", "npt"};
  check_all(never_enabled(host), {0x401, 0x402});
}

TEST_CASE("encrypted guests' exits need SEV-ES") {
  KvmHost host = svm_host();
  host.parameters = {{"sev_es", "N"}};
  check_all(never_enabled(host), {0x403});
  check_none(never_enabled(host), {0x8f, 0x90, 0x9f});
  host.parameters.insert_or_assign("nested", std::string("0"));
  check_all(never_enabled(host), {0x8f, 0x90, 0x9f});
  check_none(never_enabled(host), {0x8e, 0xa0});
}

TEST_CASE("one vendor's parameters say nothing of the other's reasons") {
  KvmHost host = svm_host();
  host.parameters = {{"ept", "N"}, {"pml", "N"}};
  host.controls.processor_based = 0;
  CHECK(never_enabled(host).size() == 0);
}

TEST_CASE("vendor and flags are read from /proc/cpuinfo") {
  const KvmHost intel = parse_cpuinfo(
      "processor\t: 0\n"
      "flags\t\t: fpu vmx  sse2\n"
      "vmx flags\t: vnmi ept\n"
      "bogomips\t: 1\n\n"
      "processor\t: 1\n"
      "flags\t\t: fpu\n");
  CHECK(intel.vendor == Vendor::vmx);
  REQUIRE(intel.cpu_flags.has_value());
  CHECK(intel.cpu_flags->size() == 3);
  REQUIRE(intel.vmx_flags.has_value());
  CHECK(intel.vmx_flags->contains("ept"));

  const KvmHost amd = parse_cpuinfo("flags : svm npt");
  CHECK(amd.vendor == Vendor::svm);
  CHECK(amd.cpu_flags->contains("npt"));
  CHECK_FALSE(amd.vmx_flags.has_value());
}

TEST_CASE("a /proc/cpuinfo without virtualisation flags names no vendor") {
  CHECK(parse_cpuinfo("flags : fpu sse2\n").vendor == Vendor::unknown);
  CHECK(parse_cpuinfo("").vendor == Vendor::unknown);
  CHECK_FALSE(parse_cpuinfo("processor : 0\n:\nflags")
                  .cpu_flags.value_or(std::set<std::string, std::less<>>{})
                  .size());
}

}  // namespace
}  // namespace kvmbench::stats
