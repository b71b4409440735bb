/// The ways in which KVM is told of an interrupt.
#pragma once

#include <cstdint>

#include "base/unique_fd.hpp"
#include "devices/interrupt_source.hpp"
#include "vmm/interrupt_wiring.hpp"
#include "vmm/vm.hpp"

namespace kvmbench {

/// What RaisingThread raises interrupts by.
class InterruptWays {
 public:
  virtual ~InterruptWays() = default;
  /// A bit for each that is there (KVMBENCH_IRQ_BY_*). Never changes.
  [[nodiscard]] virtual std::uint32_t ways() const noexcept = 0;
  /// Before interrupts of this request are raised; false where KVM refuses.
  virtual bool prepare(const InterruptRequest& request) noexcept = 0;
  /// One interrupt. Beside prepare() and lower() of other threads.
  virtual void raise(const InterruptRequest& request) noexcept = 0;
  /// Lowers the level-triggered line.
  virtual void lower() noexcept = 0;
};

class KvmInterruptWays final : public InterruptWays {
 public:
  /// Makes the lines that `irqchip` has. Throws HostError.
  KvmInterruptWays(const Vm& vm, InterruptWiring& wiring, Irqchip irqchip);

  [[nodiscard]] std::uint32_t ways() const noexcept override { return ways_; }
  bool prepare(const InterruptRequest& request) noexcept override;
  void raise(const InterruptRequest& request) noexcept override;
  void lower() noexcept override;

 private:
  const Vm& vm_;
  InterruptWiring& wiring_;
  std::uint32_t ways_ = 1u << KVMBENCH_IRQ_BY_PAGE;
  InterruptLine* level_ = nullptr;  // null unless its way is there
  InterruptLine* edge_ = nullptr;
  UniqueFd routed_;
};

}  // namespace kvmbench
