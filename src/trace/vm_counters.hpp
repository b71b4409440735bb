/// KVM's own counters of another process's VM. KVM gives them to the process that owns the VM only; but one
/// that has asked for them itself, as kvmbench does, has them in descriptors that can be duplicated
/// (pidfd_getfd(2)). Else the kernel's debugfs may have the exits of the whole VM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stats/snapshot.hpp"
#include "trace/counter_file.hpp"
#include "trace/vm_finder.hpp"

namespace kvmbench::trace {

class VmCounters final {
 public:
  explicit VmCounters(const VmProcess& process);

  /// Where they come from: "the process's own descriptors", "debugfs", or why there are none.
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  /// Of the VM as a whole. From debugfs, `exits` alone: once the VM has ended, as it was read last.
  [[nodiscard]] stats::KernelCounters vm();
  struct OfVcpu {
    std::uint32_t id;
    stats::KernelCounters counters;
  };
  [[nodiscard]] std::vector<OfVcpu> vcpus() const;

 private:
  void take_descriptors(const VmProcess& process);
  void take_debugfs(const VmProcess& process);

  std::string source_;
  std::vector<CounterFile> vm_;
  std::vector<std::pair<std::uint32_t, CounterFile>> vcpus_;
  struct ExitsFile {
    std::string path;
    std::uint64_t last;
  };
  UniqueFd debugfs_;
  std::vector<ExitsFile> exits_files_;  ///< of debugfs, one a VM
};

}  // namespace kvmbench::trace
