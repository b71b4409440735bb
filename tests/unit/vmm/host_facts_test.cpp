#include "vmm/host_facts.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "vmm/mitigations.hpp"

namespace kvmbench {
namespace {

namespace fs = std::filesystem;

/// A host's /proc, /sys and /etc, made up.
class FakeRoot final {
 public:
  using Files = std::vector<std::pair<std::string, std::string>>;

  explicit FakeRoot(const Files& files = {}) {
    std::string name = (fs::temp_directory_path() / "kvmbench-host-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    for (const auto& [file, text] : files) write(file, text);
  }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  ~FakeRoot() { fs::remove_all(path_); }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

  [[nodiscard]] std::string fact(const std::string& name) const {
    for (const auto& [found, value] : host_facts(path_)) {
      if (found == name) return value;
    }
    FAIL("no fact " << name);
    return {};
  }

 private:
  fs::path path_;
};

FakeRoot intel() {
  return FakeRoot(
      {{"proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\n"
        "model name\t: Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz\nstepping\t: 6\nmicrocode\t: 0xd0003a5\n"
        "flags\t\t: fpu vme constant_tsc nonstop_tsc vmx\npower management:\n\n"
        "processor\t: 1\nmodel name\t: another\nflags\t\t: hypervisor\n\n"},
       {"proc/meminfo", "MemTotal:       263739264 kB\nMemFree:        1 kB\n"},
       {"proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"},
       {"etc/os-release", "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"},
       {"sys/devices/system/cpu/online", "0-31,64-95\n"},
       {"sys/devices/system/cpu/smt/active", "1\n"},
       {"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"},
       {"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n"},
       {"sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"},
       {"sys/module/kvm/parameters/halt_poll_ns", "200000\n"},
       {"sys/module/kvm_intel/parameters/ept", "Y\n"},
       {"sys/module/kvm_intel/parameters/enable_apicv", "N\n"},
       {"sys/module/kvm_intel/parameters/nested", "Y\n"},
       {"sys/devices/system/cpu/vulnerabilities/l1tf", "Not affected\n"}});
}

FakeRoot amd() {
  return FakeRoot(
      {{"proc/cpuinfo",
        "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9354\n"
        "stepping\t: 1\nmicrocode\t: 0xa101148\nflags\t\t: fpu constant_tsc svm hypervisor\n"},
       {"sys/module/kvm_amd/parameters/npt", "N\n"},
       {"sys/module/kvm_amd/parameters/avic", "Y\n"},
       {"sys/module/kvm_amd/parameters/nested", "1\n"}});
}

TEST_CASE("an Intel host is described by its first CPU, its kernel and kvm_intel") {
  const FakeRoot root = intel();
  CHECK(root.fact("cpu") == "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz");
  CHECK(root.fact("cpu id") == "GenuineIntel, family 6, model 106, stepping 6");
  CHECK(root.fact("microcode") == "0xd0003a5");
  CHECK(root.fact("cpus") == "64");
  CHECK(root.fact("smt") == "active");
  CHECK(root.fact("memory") == "257557 MiB");
  CHECK(root.fact("hypervisor") == "no");
  CHECK(root.fact("kernel") == "6.1.0-18-amd64");
  CHECK(root.fact("distribution") == "Debian GNU/Linux 12 (bookworm)");
  CHECK(root.fact("kvm module") == "kvm_intel");
  CHECK(root.fact("paging") == "nested (ept)");
  CHECK(root.fact("apic virtualisation") == "off (enable_apicv)");
  CHECK(root.fact("nested") == "on");
  CHECK(root.fact("halt polling") == "200000 ns at most");
  CHECK(root.fact("mitigations") == "1 not affecting this CPU");
  CHECK(root.fact("tsc") == "constant, nonstop; clocksource tsc");
  CHECK(root.fact("governor") == "performance");
}

TEST_CASE("an AMD host is described by kvm_amd's parameters") {
  const FakeRoot root = amd();
  CHECK(root.fact("kvm module") == "kvm_amd");
  CHECK(root.fact("paging") == "shadow (npt is off)");
  CHECK(root.fact("apic virtualisation") == "avic");
  CHECK(root.fact("nested") == "on");
  CHECK(root.fact("hypervisor") == "yes: this host is itself a virtual machine");
}

TEST_CASE("a module of another vendor pages by shadow, and what it does not tell is unknown") {
  const FakeRoot root;
  root.write("sys/module/kvm/parameters/halt_poll_ns", "0\n");
  root.write("sys/module/kvm_zhaoxin/parameters/other", "Y\n");
  CHECK(root.fact("kvm module") == "kvm_zhaoxin");
  CHECK(root.fact("paging") == "shadow (kvm_zhaoxin has neither ept nor npt)");
  CHECK(root.fact("apic virtualisation") == "unknown (kvm_zhaoxin has neither enable_apicv nor avic)");
  CHECK(root.fact("nested") ==
        "unknown (cannot read /sys/module/kvm_zhaoxin/parameters/nested: No such file or directory)");
}

TEST_CASE("on an empty host every fact is there and says why it is unknown") {
  const FakeRoot root;
  const HostFacts facts = host_facts(root.path());
  CHECK(facts.size() == host_facts(intel().path()).size());
  for (const auto& [name, value] : facts) {
    INFO(name << ": " << value);
    CHECK(value.find("unknown (") != std::string::npos);
  }
  CHECK(root.fact("cpu") == "unknown (cannot read /proc/cpuinfo: No such file or directory)");
  CHECK(root.fact("kvm module").starts_with("unknown (no kvm_* in /sys/module"));
}

TEST_CASE("what a file says and nobody understands is shown, not guessed at") {
  const FakeRoot root = intel();
  root.write("sys/module/kvm_intel/parameters/ept", "maybe\n");
  root.write("sys/devices/system/cpu/online", "3-1\n");
  root.write("proc/meminfo", "MemTotal: lots kB\n");
  root.write("proc/sys/kernel/osrelease", "");
  CHECK(root.fact("paging") == "unknown (/sys/module/kvm_intel/parameters/ept says \"maybe\")");
  CHECK(root.fact("cpus") == "unknown (/sys/devices/system/cpu/online says \"3-1\")");
  CHECK(root.fact("memory") == "unknown (/proc/meminfo says \"lots kB\")");
  CHECK(root.fact("kernel") == "unknown (/proc/sys/kernel/osrelease is empty)");
}

TEST_CASE("governors that differ are all named, and none is not exposed") {
  const FakeRoot root = intel();
  root.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n");
  CHECK(root.fact("governor") == "performance, powersave");
  fs::remove_all(root.path() / "sys/devices/system/cpu/cpu0");
  fs::remove_all(root.path() / "sys/devices/system/cpu/cpu1");
  CHECK(root.fact("governor") == "not exposed");
}

TEST_CASE("the TSC is constant and nonstop as the first CPU's flags say") {
  CHECK(tsc_support(intel().path()).constant);
  CHECK(tsc_support(intel().path()).nonstop);
  CHECK(tsc_support(amd().path()).constant);
  CHECK_FALSE(tsc_support(amd().path()).nonstop);
  CHECK_FALSE(tsc_support(FakeRoot().path()).constant);
  CHECK(amd().fact("tsc").starts_with("constant, not nonstop; clocksource unknown"));
}

TEST_CASE("mitigations are told in one line: what is vulnerable, what is mitigated and how") {
  const FakeRoot root;
  const std::string directory = "sys/devices/system/cpu/vulnerabilities/";
  root.write(directory + "itlb_multihit", "KVM: Mitigation: Split huge pages\n");
  root.write(directory + "l1tf",
             "Mitigation: PTE Inversion; VMX: conditional cache flushes, SMT vulnerable\n");
  root.write(directory + "mds",
             "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state unknown\n");
  root.write(directory + "meltdown", "Not affected\n");
  root.write(directory + "retbleed", "Vulnerable\n");
  root.write(directory + "spectre_v2", "Mitigation: Retpolines; STIBP: disabled; RSB filling\n");
  root.write(directory + "srbds", "Unknown: Dependent on hypervisor status\n");
  root.write(directory + "tsa", "Not affected\n");
  CHECK(
      summarise_mitigations(root.path() / directory) ==
      "vulnerable: mds (Clear CPU buffers attempted, no microcode), retbleed; "
      "mitigated: itlb_multihit (Split huge pages), l1tf (PTE Inversion; VMX: conditional cache flushes, SMT "
      "vulnerable), spectre_v2 (Retpolines); "
      "unclear: srbds (Unknown: Dependent on hypervisor status); 2 not affecting this CPU");
}

TEST_CASE("this machine's own facts are read without error") {
  CHECK(host_facts().size() == host_facts(intel().path()).size());
}

}  // namespace
}  // namespace kvmbench
