/// The virtual machines of this host, whoever runs them: which processes hold one, by what their descriptors
/// are called. (proc(5), /proc/PID/fd; KVM names its anonymous inodes)
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kvmbench::trace {

/// A process with a VM.
struct VmProcess {
  struct Vcpu {
    std::uint32_t id = 0;
    int fd = -1;  ///< in that process: of the vCPU, or of its counters
  };

  pid_t process = 0;
  std::string program;  ///< its file's name: "qemu-system-x86_64"
  std::string name;  ///< by which its user knows it: QEMU's -name, Firecracker's --id; "" where there is none
  std::vector<int> vms;             ///< descriptors of VMs, ascending: more than one where it runs several
  std::vector<Vcpu> vcpus;          ///< in ascending order of id
  std::vector<int> vm_counters;     ///< descriptors of KVM_GET_STATS_FD
  std::vector<Vcpu> vcpu_counters;  ///< likewise, in ascending order of id
};

struct VmProcesses {
  std::vector<VmProcess> processes;  ///< in ascending order
  std::size_t closed = 0;            ///< processes whose descriptors this one may not see
};

[[nodiscard]] VmProcesses find_vms(const std::filesystem::path& proc = "/proc");
/// That process's; without VMs where it has none, or is not there.
[[nodiscard]] VmProcess find_vm(pid_t process, const std::filesystem::path& proc = "/proc");

}  // namespace kvmbench::trace
