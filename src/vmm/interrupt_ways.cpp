#include "vmm/interrupt_ways.hpp"

#include <unistd.h>

namespace kvmbench {

KvmInterruptWays::KvmInterruptWays(const Vm& vm, InterruptWiring& wiring, Irqchip irqchip)
    : vm_(vm), wiring_(wiring) {
  if (irqchip == Irqchip::none) return;
  using Trigger = InterruptWiring::Trigger;
  level_ = &wiring.line(KVMBENCH_IRQ_LEVEL_GSI, Trigger::level);
  routed_ = vm.edge_irqfd(InterruptWiring::message_gsi);
  ways_ |= 1u << KVMBENCH_IRQ_BY_LINE | 1u << KVMBENCH_IRQ_BY_ROUTE | 1u << KVMBENCH_IRQ_BY_MESSAGE;
  if (irqchip != Irqchip::full) return;
  edge_ = &wiring.line(KVMBENCH_IRQ_EDGE_GSI, Trigger::edge);
  ways_ |= 1u << KVMBENCH_IRQ_BY_IRQFD;
}

bool KvmInterruptWays::prepare(const InterruptRequest& request) noexcept {
  return request.way != KVMBENCH_IRQ_BY_ROUTE || wiring_.route_message(request.address, request.data);
}

void KvmInterruptWays::raise(const InterruptRequest& request) noexcept {
  switch (request.way) {
    case KVMBENCH_IRQ_BY_LINE:
      level_->set(true);
      break;
    case KVMBENCH_IRQ_BY_IRQFD:
      edge_->set(true);
      edge_->set(false);
      break;
    case KVMBENCH_IRQ_BY_ROUTE: {
      const std::uint64_t one = 1;
      // It fails only where 2^64 - 2 interrupts wait to be taken: then one more changes nothing.
      [[maybe_unused]] const ssize_t written = ::write(routed_.get(), &one, sizeof one);
      break;
    }
    case KVMBENCH_IRQ_BY_MESSAGE:
      vm_.signal_msi(request.address, request.data);
      break;
    default:
      break;  // by the page, which says so already
  }
}

void KvmInterruptWays::lower() noexcept {
  if (level_ != nullptr) level_->set(false);
}

}  // namespace kvmbench
