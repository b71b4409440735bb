/// The registers of the interrupt source, by which a guest asks for interrupts. (docs/interrupt-source.md)
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "devices/device.hpp"
#include "kvmbench_interrupt_source.h"
#include "memory/guest_memory.hpp"

namespace kvmbench {

/// Interrupts that a guest wants.
struct InterruptRequest {
  std::uint32_t way = KVMBENCH_IRQ_BY_PAGE;  ///< KVMBENCH_IRQ_BY_*, one of those that the raiser has
  std::uint32_t count = 0;
  std::uint32_t gap = 0;        ///< microseconds, at most KVMBENCH_IRQ_GAP_MAX
  std::uint64_t address = 0;    ///< of the message
  std::uint32_t data = 0;       ///< of the message
  std::span<std::byte> page{};  ///< a kvmbench_irq_page, which the guest may write to at any time
};

/// The host's side: what raises them, on a thread of its own. Called by any vCPU's thread, one at a time;
/// waits for nobody.
class InterruptRaiser {
 public:
  virtual ~InterruptRaiser() = default;
  /// A bit for each way. Never changes.
  [[nodiscard]] virtual std::uint32_t ways() const noexcept = 0;
  /// False where a request is under way, or KVM refuses this one.
  virtual bool begin(const InterruptRequest& request) noexcept = 0;
  /// Ends the request under way: at most one more interrupt comes.
  virtual void end() noexcept = 0;
  /// Lowers the level-triggered line.
  virtual void deassert() noexcept = 0;
  [[nodiscard]] virtual bool busy() const noexcept = 0;
  /// Of the last request: an interrupt was not handled.
  [[nodiscard]] virtual bool gave_up() const noexcept = 0;
  /// Interrupts that were raised and handled.
  [[nodiscard]] virtual std::uint64_t handled() const noexcept = 0;
};

class InterruptSource final : public Device {
 public:
  static constexpr std::uint64_t size = KVMBENCH_IRQ_PORT_COUNT;

  InterruptSource(const GuestMemory& memory, InterruptRaiser& raiser) noexcept
      : memory_(memory), raiser_(raiser) {}

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "interrupt-source"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;
  [[nodiscard]] std::vector<Operation> operations() const override;

 private:
  [[nodiscard]] std::uint32_t status() const noexcept;
  [[nodiscard]] bool choose_page(std::uint32_t address) noexcept;
  [[nodiscard]] bool raise(std::uint32_t count) noexcept;

  const GuestMemory& memory_;
  InterruptRaiser& raiser_;
  mutable std::mutex mutex_;
  InterruptRequest request_;
  std::uint32_t page_address_ = 0;
  bool refused_ = false;
};

}  // namespace kvmbench
