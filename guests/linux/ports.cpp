#include "guests/linux/ports.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/io.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace kvmbench::guest {
namespace {

unsigned most_cpus() {
  return static_cast<unsigned>(std::max(::sysconf(_SC_NPROCESSORS_CONF), 1L));
}

}  // namespace

Ports::Ports(const kvmbench_interface& interface)
    : interface_(interface),
      lock_(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)),
      // The kernel refuses a set with fewer bits than it has possible CPUs, which may be more than are
      // configured.
      cpu_set_bytes_(CPU_ALLOC_SIZE(std::max(most_cpus(), 8192u))) {
  home_.resize(cpu_set_bytes_ / sizeof(cpu_set_t));
  if (::sched_getaffinity(0, cpu_set_bytes_, home_.data()) != 0) home_.clear();
}

Ports::~Ports() {
  if (lock_ >= 0) ::close(lock_);
}

int Ports::open() const {
  return ::ioperm(interface_.first_port, KVMBENCH_PORT_COUNT, 1) == 0 ? 0 : errno;
}

std::vector<unsigned> Ports::vcpus() {
  std::vector<unsigned> all(most_cpus());
  for (unsigned i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

bool Ports::turn_to(unsigned vcpu) {
  std::vector<cpu_set_t> one(home_.size());
  if (one.empty() || vcpu >= 8 * cpu_set_bytes_) return false;
  if (lock_ >= 0) ::flock(lock_, LOCK_EX);
  CPU_SET_S(vcpu, cpu_set_bytes_, one.data());
  if (::sched_setaffinity(0, cpu_set_bytes_, one.data()) != 0)
    return false;  // offline, or not for this program
  vcpu_ = vcpu;
  leaf_ = 0;
  return true;
}

kvmbench_answer Ports::ask(std::uint32_t leaf, std::uint32_t reason) {
  if (leaf != leaf_) {
    kvmbench_set_leaf(&interface_, leaf);
    leaf_ = leaf;
    ++exits_[vcpu_];
  }
  const kvmbench_answer answer = kvmbench_ask_leaf(&interface_, reason);
  exits_[vcpu_] += 2;
  return answer;
}

std::uint64_t Ports::exits() const {
  const auto at = exits_.find(vcpu_);
  return at != exits_.end() ? at->second : 0;
}

void Ports::done() {
  if (lock_ >= 0) ::flock(lock_, LOCK_UN);
  if (!home_.empty()) ::sched_setaffinity(0, cpu_set_bytes_, home_.data());
}

void Ports::name_phase(const std::string& name) {
  // Whichever vCPU this is: the name must be spelled on one.
  for (const unsigned vcpu : vcpus()) {
    if (turn_to(vcpu)) break;
  }
  kvmbench_name_phase(&interface_, name.c_str());
  done();
}

}  // namespace kvmbench::guest
