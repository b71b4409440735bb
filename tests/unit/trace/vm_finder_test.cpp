#include "trace/vm_finder.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

namespace {

using namespace kvmbench::trace;
namespace fs = std::filesystem;

/// A /proc made for the test.
class FakeProc final {
 public:
  FakeProc() {
    char name[] = "/tmp/fake-proc.XXXXXX";
    root_ = ::mkdtemp(name);
  }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;
  ~FakeProc() { fs::remove_all(root_); }

  void process(int number, const std::vector<std::string>& arguments,
               const std::vector<std::string>& descriptors) {
    const fs::path directory = root_ / std::to_string(number);
    fs::create_directories(directory / "fd");
    std::ofstream cmdline(directory / "cmdline");
    for (const std::string& argument : arguments) cmdline << argument << '\0';
    for (std::size_t fd = 0; fd < descriptors.size(); ++fd)
      fs::create_symlink(descriptors[fd], directory / "fd" / std::to_string(fd));
  }
  [[nodiscard]] const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

const std::string vm = "anon_inode:kvm-vm", vm_stats = "anon_inode:kvm-vm-stats";

std::string vcpu(int id) {
  return "anon_inode:kvm-vcpu:" + std::to_string(id);
}
std::string vcpu_stats(int id) {
  return "anon_inode:kvm-vcpu-stats:" + std::to_string(id);
}

TEST_CASE("processes that hold a VM are found, with its vCPUs and counters") {
  FakeProc proc;
  proc.process(1, {"init"}, {"/dev/null"});
  proc.process(300, {"/usr/bin/qemu-system-x86_64", "-name", "guest=debian,debug-threads=on", "-m", "1G"},
               {"/dev/kvm", vm, vcpu(0), vcpu_stats(0), vcpu(1), vcpu_stats(1), vm_stats});
  proc.process(20, {"kvmbench", "run", "@mix"}, {vm, vcpu(0)});
  fs::create_directories(proc.root() / "sys" / "fd");

  const VmProcesses found = find_vms(proc.root());
  CHECK(found.closed == 0);
  REQUIRE(found.processes.size() == 2);
  CHECK(found.processes[0].process == 20);
  CHECK(found.processes[0].name.empty());
  CHECK(found.processes[0].program == "kvmbench");
  const VmProcess& qemu = found.processes[1];
  CHECK(qemu.process == 300);
  CHECK(qemu.program == "qemu-system-x86_64");
  CHECK(qemu.name == "debian");
  CHECK(qemu.vms == std::vector<int>{1});
  CHECK(qemu.vm_counters == std::vector<int>{6});
  REQUIRE(qemu.vcpus.size() == 2);
  CHECK(qemu.vcpus[1].id == 1);
  CHECK(qemu.vcpus[1].fd == 4);
  REQUIRE(qemu.vcpu_counters.size() == 2);
  CHECK(qemu.vcpu_counters[0].fd == 3);
}

TEST_CASE("/dev/kvm alone is no VM") {
  FakeProc proc;
  proc.process(7, {"libvirtd"}, {"/dev/kvm", "anon_inode:[eventfd]"});
  CHECK(find_vms(proc.root()).processes.empty());
  CHECK(find_vm(7, proc.root()).vms.empty());
  CHECK(find_vm(8, proc.root()).vms.empty());
}

TEST_CASE("a VM's name is that which its program was given") {
  using Arguments = std::vector<std::string>;
  const std::vector<std::pair<Arguments, std::string>> cases = {
      {Arguments{"qemu", "-name", "web"}, "web"},
      {Arguments{"qemu", "-name", "web,process=x"}, "web"},
      {Arguments{"qemu", "-name", "debug-threads=on,guest=db"}, "db"},
      {Arguments{"qemu", "-name", "guest=a,,b,debug-threads=on"}, "a,b"},
      {Arguments{"qemu", "-name"}, ""},
      {Arguments{"firecracker", "--id", "f00"}, "f00"},
      {Arguments{"qemu"}, ""},
      {Arguments{}, ""},
  };
  const auto& [arguments, name] = cases[GENERATE(range(std::size_t{0}, std::size_t{8}))];
  FakeProc proc;
  proc.process(7, arguments, {vm});
  CHECK(find_vm(7, proc.root()).name == name);
}

TEST_CASE("a process with two VMs has both") {
  FakeProc proc;
  proc.process(7, {"x"}, {vm, vcpu(0), vm, vcpu(0)});
  const VmProcess found = find_vm(7, proc.root());
  CHECK(found.vms == std::vector<int>{0, 2});
  CHECK(found.vcpus.size() == 2);
}

}  // namespace
