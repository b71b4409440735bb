/// What the exit-count interface says at one time, of all vCPUs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "guests/lib/kvmbench_guest.h"

namespace kvmbench::guest {

/// Where questions are asked. A test puts answers of its own in place of the ports.
class Questions {
 public:
  virtual ~Questions() = default;
  /// The vCPUs that can be asked, by the guest's own numbers.
  [[nodiscard]] virtual std::vector<unsigned> vcpus() = 0;
  /// Until the next call, ask() asks this vCPU. False where it cannot be reached.
  [[nodiscard]] virtual bool turn_to(unsigned vcpu) = 0;
  [[nodiscard]] virtual kvmbench_answer ask(std::uint32_t leaf, std::uint32_t reason) = 0;
  /// Exits that asking the current vCPU has caused so far, since the program began.
  [[nodiscard]] virtual std::uint64_t exits() const = 0;
  /// Back to where turn_to() began.
  virtual void done() = 0;
};

struct ReasonCount {
  std::uint32_t reason = 0;  ///< as in a query
  std::uint64_t count = 0;
  std::uint64_t cycles = 0;

  [[nodiscard]] bool is_userspace() const;
  /// KVM_EXIT_* or the hardware's own number.
  [[nodiscard]] std::uint32_t number() const;
  [[nodiscard]] std::string name(std::uint32_t vendor) const;
};

/// Reasons are those with a count, in the order of their numbers in a query. `own_exits` are those that
/// asking has caused, as far as they are among the userspace exits counted.
struct VcpuCount {
  unsigned vcpu = 0;
  std::uint64_t exits = 0;
  std::uint64_t cycles = 0;
  std::uint64_t own_exits = 0;
  std::vector<ReasonCount> reasons;
};

struct Sample {
  double seconds = 0;  ///< monotonic
  std::vector<VcpuCount> vcpus;
  std::uint64_t own_exits = 0;       ///< the sum over the vCPUs
  std::vector<ReasonCount> reasons;  ///< likewise

  [[nodiscard]] std::uint64_t exits() const;
  [[nodiscard]] std::uint64_t cycles() const;
  [[nodiscard]] const ReasonCount* find(std::uint32_t reason) const;
};

enum class Detail { totals, reasons };
[[nodiscard]] Sample take_sample(Questions& questions, const kvmbench_interface& interface, Detail detail);

/// What has come since `earlier`.
[[nodiscard]] Sample operator-(const Sample& later, const Sample& earlier);

}  // namespace kvmbench::guest
