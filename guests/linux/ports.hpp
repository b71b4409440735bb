/// The questions, asked by port.
#pragma once

#include <sched.h>

#include <map>
#include <string>
#include <vector>

#include "guests/linux/sample.hpp"

namespace kvmbench::guest {

/// The registers belong to a vCPU, so the program moves to each vCPU that it asks, and back at the end.
/// Meanwhile it holds a lock on its own file, which keeps a second kvmbench-guest from asking in between.
class Ports final : public Questions {
 public:
  explicit Ports(const kvmbench_interface& interface);
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;
  ~Ports() override;

  /// Asks the kernel for the ports: 0, or errno.
  [[nodiscard]] int open() const;

  [[nodiscard]] std::vector<unsigned> vcpus() override;
  [[nodiscard]] bool turn_to(unsigned vcpu) override;
  [[nodiscard]] kvmbench_answer ask(std::uint32_t leaf, std::uint32_t reason) override;
  [[nodiscard]] std::uint64_t exits() const override;
  void done() override;

  /// Names the phase that begins now; printable ASCII, at most KVMBENCH_NAME_MAX characters.
  void name_phase(const std::string& name);

 private:
  const kvmbench_interface interface_;
  const int lock_;  ///< -1 without /proc
  const std::size_t cpu_set_bytes_;
  std::vector<cpu_set_t> home_;  ///< the affinity that the program began with
  unsigned vcpu_ = 0;
  std::uint32_t leaf_ = 0;  ///< in the current vCPU's register; 0: not known
  std::map<unsigned, std::uint64_t> exits_;
};

}  // namespace kvmbench::guest
