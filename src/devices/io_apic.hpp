/// The I/O APIC, for machines whose local APICs are KVM's and whose I/O APIC is not (--irqchip split).
/// Section numbers: Intel 82093AA data sheet (order number 290566).
///
/// Delivery takes no time, so Delivery Status (bit 12) always reads 0; lines are asserted or not, so the
/// polarity bit is kept and means nothing.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <vector>

#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"

namespace kvmbench {

/// Where interrupt messages go. Both calls are made with the I/O APIC's lock held, so that they come in the
/// order of the changes: an implementation may not call the I/O APIC, nor any device, nor wait for a thread
/// that does.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  /// Delivers one message-signalled interrupt (Intel SDM vol. 3, 10.11).
  virtual void send(std::uint64_t address, std::uint32_t data) noexcept = 0;
  /// The message that `pin` sends from now on, and whether it is masked. Before the first call a pin is
  /// masked.
  virtual void route(unsigned pin, std::uint64_t address, std::uint32_t data, bool masked) noexcept = 0;
};

class IoApic final : public Device {
 public:
  static constexpr std::uint64_t size = 0x1000;
  static constexpr unsigned pins = 24;

  explicit IoApic(MessageSink& sink);

  /// `number` below `pins`.
  [[nodiscard]] InterruptLine& pin(unsigned number) { return pins_.at(number); }

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return "ioapic"; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;

  /// An EOI message for `vector` from a local APIC. Any thread.
  void end_of_interrupt(std::uint8_t vector) noexcept;

 private:
  class Pin final : public InterruptLine {
   public:
    Pin(IoApic& io_apic, unsigned number) noexcept : io_apic_(io_apic), number_(number) {}
    void set(bool asserted) noexcept override { io_apic_.set_pin(number_, asserted); }

   private:
    IoApic& io_apic_;
    unsigned number_;
  };

  void set_pin(unsigned number, bool asserted) noexcept;
  [[nodiscard]] std::uint32_t read_indirect() const noexcept;
  void write_indirect(std::uint32_t value, std::uint32_t mask) noexcept;
  void write_entry(unsigned number, std::uint64_t value, std::uint64_t mask) noexcept;
  /// Sends a level-triggered pin's message if it is due.
  void service_level(unsigned number) noexcept;

  MessageSink& sink_;
  std::vector<Pin> pins_;

  std::mutex mutex_;
  std::uint8_t index_ = 0;
  std::uint8_t id_ = 0;
  std::uint8_t arbitration_id_ = 0;
  std::array<std::uint64_t, pins> entries_{};
  std::array<bool, pins> asserted_{};
};

}  // namespace kvmbench
