#include "trace/vm_counters.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "trace/trace_fs.hpp"

namespace kvmbench::trace {
namespace {

UniqueFd open_process(pid_t process) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

UniqueFd duplicate(const UniqueFd& process, int fd) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), fd, 0)));
}

/// Opened anew each time: a file of debugfs has one value an opening, and cannot be read at a position.
std::optional<std::uint64_t> read_number(const UniqueFd& root, const std::string& path) {
  const UniqueFd file(::openat(root.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  std::uint64_t value = 0;
  if (size <= 0 || std::from_chars(text.data(), text.data() + size, value).ec != std::errc{})
    return std::nullopt;
  return value;
}

}  // namespace

VmCounters::VmCounters(const VmProcess& process) {
  take_descriptors(process);
  if (vcpus_.empty()) take_debugfs(process);
}

void VmCounters::take_descriptors(const VmProcess& process) {
  if (process.vcpu_counters.empty()) {
    source_ = "none: the process has not opened KVM's counters";
    return;
  }
  const UniqueFd owner = open_process(process.process);
  for (const VmProcess::Vcpu& vcpu : process.vcpu_counters) {
    UniqueFd fd = duplicate(owner, vcpu.fd);
    if (!fd) {
      source_ = fmt::format("none: pidfd_getfd: {} (it takes CAP_SYS_PTRACE)", std::strerror(errno));
      return;
    }
    if (auto file = CounterFile::open(std::move(fd))) vcpus_.emplace_back(vcpu.id, std::move(*file));
  }
  for (const int vm : process.vm_counters) {
    if (auto file = CounterFile::open(duplicate(owner, vm))) vm_.push_back(std::move(*file));
  }
  source_ = "KVM_GET_STATS_FD, by the process's own descriptors";
}

void VmCounters::take_debugfs(const VmProcess& process) {
  debugfs_ = open_kernel_files("debugfs", "/sys/kernel/debug", "kvm");
  for (const int vm : process.vms) {
    std::string path = fmt::format("kvm/{}-{}/exits", process.process, vm);
    const auto exits = read_number(debugfs_, path);
    if (!exits) {
      source_ += fmt::format("; debugfs, {}: {}", path, std::strerror(errno));
      exits_files_.clear();
      return;
    }
    exits_files_.push_back({std::move(path), *exits});
  }
  if (!exits_files_.empty()) source_ = "debugfs, exits of the whole VM";
}

stats::KernelCounters VmCounters::vm() {
  stats::KernelCounters sums;
  for (const CounterFile& file : vm_) add(sums, file.read());
  if (exits_files_.empty()) return sums;
  stats::KernelCounter exits;
  exits.name = "exits";
  exits.values = {0};
  for (ExitsFile& file : exits_files_) {
    file.last = read_number(debugfs_, file.path).value_or(file.last);
    exits.values.front() += file.last;
  }
  sums.push_back(std::move(exits));
  return sums;
}

std::vector<VmCounters::OfVcpu> VmCounters::vcpus() const {
  std::vector<OfVcpu> vcpus;
  for (const auto& [id, file] : vcpus_) vcpus.push_back({id, file.read()});
  return vcpus;
}

}  // namespace kvmbench::trace
