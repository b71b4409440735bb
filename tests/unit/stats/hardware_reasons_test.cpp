#include "stats/hardware_reasons.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

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

// The manuals' lists, name by name. Gaps of the manual are nullptr.
constexpr std::array<const char*, 78> vmx_manual = {
    "Exception or non-maskable interrupt (NMI)",
    "External interrupt",
    "Triple fault",
    "INIT signal",
    "Start-up IPI (SIPI)",
    "I/O system-management interrupt (SMI)",
    "Other SMI",
    "Interrupt window",
    "NMI window",
    "Task switch",
    "CPUID",
    "GETSEC",
    "HLT",
    "INVD",
    "INVLPG",
    "RDPMC",
    "RDTSC",
    "RSM",
    "VMCALL",
    "VMCLEAR",
    "VMLAUNCH",
    "VMPTRLD",
    "VMPTRST",
    "VMREAD",
    "VMRESUME",
    "VMWRITE",
    "VMXOFF",
    "VMXON",
    "Control-register accesses",
    "MOV DR",
    "I/O instruction",
    "RDMSR",
    "WRMSR",
    "VM-entry failure due to invalid guest state",
    "VM-entry failure due to MSR loading",
    nullptr,
    "MWAIT",
    "Monitor trap flag",
    nullptr,
    "MONITOR",
    "PAUSE",
    "VM-entry failure due to machine-check event",
    nullptr,
    "TPR below threshold",
    "APIC access",
    "Virtualized EOI",
    "Access to GDTR or IDTR",
    "Access to LDTR or TR",
    "EPT violation",
    "EPT misconfiguration",
    "INVEPT",
    "RDTSCP",
    "VMX-preemption timer expired",
    "INVVPID",
    "WBINVD or WBNOINVD",
    "XSETBV",
    "APIC write",
    "RDRAND",
    "INVPCID",
    "VMFUNC",
    "ENCLS",
    "RDSEED",
    "Page-modification log full",
    "XSAVES",
    "XRSTORS",
    "PCONFIG",
    "SPP-related event",
    "UMWAIT",
    "TPAUSE",
    "LOADIWKEY",
    "ENCLV",
    nullptr,
    "ENQCMD PASID translation failure",
    "ENQCMDS PASID translation failure",
    "Bus lock",
    "Instruction timeout",
    "SEAMCALL",
    "TDCALL",
};

// From 0x60 on; those below are numbered register by register and vector by vector.
constexpr std::array<const char*, 0x8f - 0x60> svm_manual = {
    "INTR",          "NMI",        "SMI",        "INIT",      "VINTR",
    "CR0_SEL_WRITE", "IDTR_READ",  "GDTR_READ",  "LDTR_READ", "TR_READ",
    "IDTR_WRITE",    "GDTR_WRITE", "LDTR_WRITE", "TR_WRITE",  "RDTSC",
    "RDPMC",         "PUSHF",      "POPF",       "CPUID",     "RSM",
    "IRET",          "SWINT",      "INVD",       "PAUSE",     "HLT",
    "INVLPG",        "INVLPGA",    "IOIO",       "MSR",       "TASK_SWITCH",
    "FERR_FREEZE",   "SHUTDOWN",   "VMRUN",      "VMMCALL",   "VMLOAD",
    "VMSAVE",        "STGI",       "CLGI",       "SKINIT",    "RDTSCP",
    "ICEBP",         "WBINVD",     "MONITOR",    "MWAIT",     "MWAIT_CONDITIONAL",
    "XSETBV",        "RDPRU",
};

void check_svm(std::uint32_t code, const std::string& name) {
  CAPTURE(code, name);
  const ReasonText* text = hardware_reason(Vendor::svm, code);
  REQUIRE(text != nullptr);
  CHECK(text->short_name == name);
  CHECK(text->name == "VMEXIT_" + name);
}

TEST_CASE("VMX's reasons 0 to 77 are those of the SDM's appendix C, with its gaps") {
  for (std::uint32_t number = 0; number < vmx_manual.size(); ++number) {
    CAPTURE(number);
    const ReasonText* text = hardware_reason(Vendor::vmx, number);
    REQUIRE((text != nullptr) == (vmx_manual[number] != nullptr));
    if (text != nullptr) CHECK(text->name == vmx_manual[number]);
  }
  const ReasonSet defined = defined_reasons(Vendor::vmx);
  check_all(defined, {0, 12, 30, 34, 36, 48, 49, 70, 72, 79, 80, 81, 84, 85});
  check_none(defined, {35, 38, 42, 71, 82, 83, 86, 0x400, 0xffff'ffff});
}

TEST_CASE("SVM's codes are those of the APM's appendix C") {
  for (std::uint32_t n = 0; n < 16; ++n) {
    const std::string number = std::to_string(n);
    check_svm(0x00 + n, "CR" + number + "_READ");
    check_svm(0x10 + n, "CR" + number + "_WRITE");
    check_svm(0x20 + n, "DR" + number + "_READ");
    check_svm(0x30 + n, "DR" + number + "_WRITE");
    check_svm(0x90 + n, "CR" + number + "_WRITE_TRAP");
  }
  for (std::uint32_t vector = 0; vector < 32; ++vector)
    check_svm(0x40 + vector, "EXCP" + std::to_string(vector));
  for (std::uint32_t n = 0; n < svm_manual.size(); ++n) check_svm(0x60 + n, svm_manual[n]);
  check_svm(0x8f, "EFER_WRITE_TRAP");
  check_svm(0xa0, "INVLPGB");
  check_svm(0xa1, "INVLPGB_ILLEGAL");
  check_svm(0xa2, "INVPCID");
  check_svm(0xa3, "MCOMMIT");
  check_svm(0xa4, "TLBSYNC");
  check_svm(0xa5, "BUSLOCK");
  check_svm(0xa6, "IDLE_HLT");
  check_svm(0x400, "NPF");
  check_svm(0x401, "AVIC_INCOMPLETE_IPI");
  check_svm(0x402, "AVIC_NOACCEL");
  check_svm(0x403, "VMGEXIT");
  check_svm(0xffff'ffff, "INVALID");
  check_svm(0xffff'fffe, "BUSY");
  check_svm(0xffff'fffd, "IDLE_REQUIRED");
  check_svm(0xffff'fffc, "INVALID_PMC");
  for (std::uint32_t code = 0xa7; code < 0x400; ++code) CHECK(hardware_reason(Vendor::svm, code) == nullptr);
  check_none(defined_reasons(Vendor::svm), {0xa7, 0xff, 0x404, 0x100, 0x3ff, 0xffff'fffb});
}

TEST_CASE("an unknown vendor's manual defines nothing") {
  CHECK(defined_reasons(Vendor::unknown).size() == 0);
  CHECK(hardware_reason(Vendor::unknown, 0) == nullptr);
}

TEST_CASE("reasons are in ascending order, each with names of its own") {
  for (const Vendor vendor : {Vendor::vmx, Vendor::svm}) {
    const auto all = hardware_reasons(vendor);
    CHECK(std::ranges::adjacent_find(all, std::ranges::greater_equal{}, &ReasonText::reason) == all.end());
    for (const ReasonText& text : all) {
      CHECK(std::ranges::count(all, text.name, &ReasonText::name) == 1);
      CHECK(std::ranges::count(all, text.short_name, &ReasonText::short_name) == 1);
    }
  }
}

TEST_CASE("each hardware reason has a description, a cause and a remedy, which are sentences") {
  for (const Vendor vendor : {Vendor::vmx, Vendor::svm}) {
    for (const ReasonText& reason : hardware_reasons(vendor)) {
      for (const std::string_view text : {reason.description, reason.cause, reason.remedy}) {
        CAPTURE(reason.name, text);
        REQUIRE(text.size() > 10);
        CHECK(text.back() == '.');
        const char first = text.front();
        const bool begins = (first >= 'A' && first <= 'Z') || first == '#';  // "#PF, ..."
        CHECK(begins);
        CHECK(text.find("  ") == text.npos);
      }
    }
  }
}

TEST_CASE("reasons have short names as the kernel's tracepoints have them") {
  CHECK(hardware_reason_name(Vendor::vmx, 30) == "IO_INSTRUCTION");
  CHECK(hardware_reason_name(Vendor::vmx, 49) == "EPT_MISCONFIG");
  CHECK(hardware_reason_name(Vendor::svm, 0x4e) == "EXCP14");
  CHECK(hardware_reason_name(Vendor::svm, 0x7b) == "IOIO");
  CHECK(hardware_reason_name(Vendor::svm, 0x400) == "NPF");
  CHECK(hardware_reason_name(Vendor::svm, 0xffff'ffff) == "INVALID");
}

TEST_CASE("VMX's flags beside the basic reason are told in words") {
  CHECK(hardware_reason_name(Vendor::vmx, 0x8000'0021) == "INVALID_STATE (entry failed)");
  CHECK(hardware_reason_name(Vendor::vmx, 0x0400'0001) == "EXTERNAL_INTERRUPT (with a bus lock)");
  CHECK(hardware_reason_name(Vendor::vmx, 0x0800'000a) == "CPUID (in an enclave)");
  CHECK(hardware_reason_name(Vendor::vmx, 0x3000'0000) ==
        "EXCEPTION_NMI (from VMX root operation, monitor trap flag pending)");
  CHECK(hardware_reason_name(Vendor::vmx, 0x4000'000c) == "HLT (flags 0x40000000)");
  CHECK(basic_reason(Vendor::vmx, 0x8000'0021) == 33);
  CHECK(basic_reason(Vendor::svm, 0xffff'ffff) == 0xffff'ffff);
}

TEST_CASE("an unknown hardware reason stays a number and says so") {
  CHECK(hardware_reason_name(Vendor::vmx, 35) == "VMX reason 35 (unknown)");
  CHECK(hardware_reason_name(Vendor::vmx, 0x8000'0063) == "VMX reason 99 (unknown, entry failed)");
  CHECK(hardware_reason_name(Vendor::svm, 0x404) == "SVM code 0x404 (unknown)");
  CHECK(hardware_reason_name(Vendor::svm, 0xa7) == "SVM code 0xa7 (unknown)");
  CHECK(hardware_reason_name(Vendor::unknown, 7) == "hardware reason 7 (unknown vendor)");
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
