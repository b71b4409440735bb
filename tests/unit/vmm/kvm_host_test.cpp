#include "vmm/kvm_host.hpp"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace kvmbench {
namespace {

namespace fs = std::filesystem;
using stats::KvmHost;
using stats::Vendor;

/// A host's /proc, /sys and /dev, made up.
class FakeRoot final {
 public:
  FakeRoot() {
    std::string name = (fs::temp_directory_path() / "kvmbench-kvm-host-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  ~FakeRoot() { fs::remove_all(path_); }

  void write(const std::string& file, const std::string& text) const { std::ofstream(made(file)) << text; }
  /// As the msr driver has it: 8 bytes at the MSR's number.
  void write_msr(std::uint32_t number, std::uint64_t value) const {
    const fs::path file = made("dev/cpu/0/msr");
    if (!fs::exists(file)) std::ofstream{file};
    std::fstream msrs(file, std::ios::in | std::ios::out | std::ios::binary);
    msrs.seekp(number);
    msrs.write(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] fs::path made(const std::string& file) const {
    fs::create_directories((path_ / file).parent_path());
    return path_ / file;
  }

 private:
  fs::path path_;
};

constexpr const char* intel_cpuinfo =
    "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vmx constant_tsc\n"
    "vmx flags\t: vnmi ept vpid\n\nprocessor\t: 1\nflags\t\t: hypervisor\n";
constexpr const char* amd_cpuinfo = "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu svm npt\n";

// Allowed 1-settings are the high half. (Intel SDM vol. 3, appendix A.3)
constexpr std::uint64_t secondary_controls = 1ull << 63;
constexpr std::uint64_t tertiary_controls = 1ull << 49;

constexpr std::uint64_t secondary = 0x1f57'8fff'0000'0000;
constexpr std::uint64_t tertiary = 0x0000'0000'0000'001f;
constexpr std::uint64_t pin_based(std::uint64_t processor_based) {
  return processor_based << 8 | 0x16;
}

/// All four MSRs hold something, whether or not they exist. The driver's MSRs are a byte apart and 8 bytes
/// long each, which in a plain file overlap: the values are such that they agree where they do.
void write_controls(const FakeRoot& root, std::uint64_t processor_based) {
  root.write_msr(0x481, pin_based(processor_based));
  root.write_msr(0x482, processor_based);
  root.write_msr(0x48b, secondary);
  root.write_msr(0x492, tertiary);
}

bool nothing_of(const KvmHost::Controls& controls) {
  return !controls.pin_based && !controls.processor_based && !controls.processor_based2 &&
         !controls.processor_based3;
}

TEST_CASE("with kvm_intel the vendor is VMX, with its parameters and its CPU's flags and controls") {
  const FakeRoot root;
  root.write("proc/cpuinfo", intel_cpuinfo);
  root.write("sys/module/kvm_intel/parameters/ept", "Y\n");
  root.write("sys/module/kvm_intel/parameters/ple_gap", "128\n");
  const std::uint64_t processor_based = secondary_controls | tertiary_controls | 0x1234;
  write_controls(root, processor_based);
  const KvmHost host = read_kvm_host(root.path());
  CHECK(host.vendor == Vendor::vmx);
  CHECK(host.parameters == decltype(host.parameters){{"ept", "Y"}, {"ple_gap", "128"}});
  REQUIRE(host.cpu_flags);
  CHECK(*host.cpu_flags == std::set<std::string, std::less<>>{"constant_tsc", "fpu", "vmx"});
  REQUIRE(host.vmx_flags);
  CHECK(*host.vmx_flags == std::set<std::string, std::less<>>{"ept", "vnmi", "vpid"});
  CHECK(host.controls.pin_based == pin_based(processor_based));
  CHECK(host.controls.processor_based == processor_based);
  CHECK(host.controls.processor_based2 == secondary);
  CHECK(host.controls.processor_based3 == tertiary);
}

TEST_CASE("MSRs of controls that the CPU lacks are not read") {
  const FakeRoot root;
  root.write("sys/module/kvm_intel/parameters/ept", "Y\n");
  write_controls(root, ~(secondary_controls | tertiary_controls));
  KvmHost::Controls controls = read_kvm_host(root.path()).controls;
  CHECK(controls.processor_based == ~(secondary_controls | tertiary_controls));
  CHECK_FALSE(controls.processor_based2);
  CHECK_FALSE(controls.processor_based3);

  root.write_msr(0x482, secondary_controls);
  controls = read_kvm_host(root.path()).controls;
  CHECK(controls.processor_based2 == secondary);
  CHECK_FALSE(controls.processor_based3);

  root.write_msr(0x482, tertiary_controls);
  controls = read_kvm_host(root.path()).controls;
  CHECK_FALSE(controls.processor_based2);
  CHECK(controls.processor_based3 == tertiary);
}

TEST_CASE("without the msr driver the controls stay empty, and the rest is there") {
  const FakeRoot root;
  root.write("proc/cpuinfo", intel_cpuinfo);
  root.write("sys/module/kvm_intel/parameters/ept", "Y\n");
  const KvmHost host = read_kvm_host(root.path());
  CHECK(nothing_of(host.controls));
  CHECK(host.vendor == Vendor::vmx);
  CHECK(host.parameters.size() == 1);
  CHECK(host.vmx_flags);
}

TEST_CASE("what the msr device does not give stays empty") {
  const FakeRoot root;
  root.write("sys/module/kvm_intel/parameters/ept", "Y\n");
  SECTION("the device cannot be read") {
    fs::create_directories(root.made("dev/cpu/0/msr"));  // opens, and read() fails, for root as well
    CHECK(nothing_of(read_kvm_host(root.path()).controls));
  }
  SECTION("the device cannot be opened") {
    fs::create_symlink("msr", root.made("dev/cpu/0/msr"));  // to itself: ELOOP, for root as well
    CHECK(nothing_of(read_kvm_host(root.path()).controls));
  }
  SECTION("the device has nothing at the number") {
    root.write_msr(0x481, 0x16);  // the file ends behind it
    const KvmHost::Controls controls = read_kvm_host(root.path()).controls;
    CHECK(controls.pin_based);
    CHECK_FALSE(controls.processor_based);
    CHECK_FALSE(controls.processor_based2);
    CHECK_FALSE(controls.processor_based3);
  }
}

TEST_CASE("with kvm_amd the vendor is SVM, with its parameters, and no VMX control is read") {
  const FakeRoot root;
  root.write("proc/cpuinfo", amd_cpuinfo);
  root.write("sys/module/kvm_amd/parameters/npt", "1\n");
  root.write("sys/module/kvm_amd/parameters/avic", "N\n");
  write_controls(root, secondary_controls);
  const KvmHost host = read_kvm_host(root.path());
  CHECK(host.vendor == Vendor::svm);
  CHECK(host.parameters == decltype(host.parameters){{"avic", "N"}, {"npt", "1"}});
  REQUIRE(host.cpu_flags);
  CHECK(host.cpu_flags->contains("svm"));
  CHECK(nothing_of(host.controls));
}

TEST_CASE("without either module the vendor is unknown, whatever the CPU is") {
  const FakeRoot root;
  root.write("proc/cpuinfo", intel_cpuinfo);
  root.write("sys/module/kvm_other/parameters/ept", "Y\n");
  write_controls(root, secondary_controls);
  const KvmHost host = read_kvm_host(root.path());
  CHECK(host.vendor == Vendor::unknown);
  CHECK(host.parameters.empty());
  CHECK(nothing_of(host.controls));
  CHECK(host.cpu_flags);
  CHECK(stats::defined_reasons(host.vendor).size() == 0);
}

TEST_CASE("a host of which nothing can be read is a host of which nothing is known") {
  const FakeRoot root;
  const KvmHost host = read_kvm_host(root.path());
  CHECK(host.vendor == Vendor::unknown);
  CHECK_FALSE(host.cpu_flags);
  CHECK_FALSE(host.vmx_flags);
  CHECK(host.parameters.empty());
  CHECK(nothing_of(host.controls));
}

TEST_CASE("a module without parameters, or with some that cannot be read, is loaded all the same") {
  const FakeRoot root;
  fs::create_directories(root.made("sys/module/kvm_intel"));
  CHECK(read_kvm_host(root.path()).vendor == Vendor::vmx);
  CHECK(read_kvm_host(root.path()).parameters.empty());

  root.write("sys/module/kvm_intel/parameters/ept", "Y\n");
  fs::create_directories(root.made("sys/module/kvm_intel/parameters/a_folder"));
  CHECK(read_kvm_host(root.path()).parameters ==
        std::map<std::string, std::string, std::less<>>{{"ept", "Y"}});
}

}  // namespace
}  // namespace kvmbench
