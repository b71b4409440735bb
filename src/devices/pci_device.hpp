/// The configuration header of a PCI device that has registers in memory or I/O space and an interrupt pin.
/// Section numbers: PCI Local Bus Specification 3.0.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "devices/bus.hpp"
#include "devices/interrupt_line.hpp"
#include "devices/pci_function.hpp"

namespace kvmbench {

/// What a function says it is (6.2.1, 6.2.4).
struct PciIdentity {
  std::uint16_t vendor;
  std::uint16_t device;
  std::uint32_t class_code;  ///< base class, sub-class, programming interface: 24 bits
  std::uint8_t revision = 0;
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem = 0;
  bool multifunction = false;  ///< for function 0 of a device that has others
};

/// A type 0 header (figure 6-1) without capabilities. Registers from 0x40 on are a derived class's, which
/// overrides read_config and write_config and leaves the others to this one.
class PciDevice : public PciFunction {
 public:
  static constexpr unsigned bars = 6;

  explicit PciDevice(const PciIdentity& identity);

  /// Base address register `index` places `window`: a 32-bit, not prefetchable memory range, or ports. Throws
  /// std::logic_error where the register is taken. Only while the machine is built.
  void add_memory_bar(unsigned index, BusWindow& window);
  void add_io_bar(unsigned index, BusWindow& window);
  /// `pin`: 1 (INTA#) to 4. Only while the machine is built.
  void connect(unsigned pin, InterruptLine& line) noexcept;

  /// What the device drives: the pin, unless Interrupt Disable is set (6.2.2).
  [[nodiscard]] InterruptLine& interrupt() noexcept { return pin_; }
  /// Whether it may access memory by itself (6.2.2, Bus Master). Any thread.
  [[nodiscard]] bool bus_master() const noexcept;

  std::uint32_t read_config(unsigned offset) noexcept override;
  void write_config(unsigned offset, std::uint32_t value, std::uint32_t mask) noexcept override;

 private:
  /// The interrupt pin with its two bits of the Command and Status registers.
  class Pin final : public InterruptLine {
   public:
    void set(bool asserted) noexcept override;
    void disable(bool disabled) noexcept;
    void connect(InterruptLine& line) noexcept { line_ = &line; }
    [[nodiscard]] bool asserted() noexcept;

   private:
    std::mutex mutex_;  // the device and the configuration mechanism come on different threads
    InterruptLine* line_ = nullptr;
    bool asserted_ = false;
    bool disabled_ = false;
  };
  struct Bar {
    BusWindow* window = nullptr;  // null: the function has no such register, which reads as 0
    bool io = false;
    std::uint32_t address = 0;
  };

  void add_bar(unsigned index, BusWindow& window, bool io);
  void write_command(std::uint32_t value, std::uint32_t mask) noexcept;
  void write_bar(Bar& bar, std::uint32_t value, std::uint32_t mask) noexcept;
  void decode(const Bar& bar) const noexcept;

  const PciIdentity identity_;
  std::array<Bar, bars> bars_{};
  Pin pin_;
  std::uint8_t interrupt_pin_ = 0;

  // Written with the configuration mechanism's lock held.
  std::uint16_t command_writable_;
  std::atomic<std::uint16_t> command_{0};
  std::uint8_t cache_line_size_ = 0;
  std::uint8_t latency_timer_ = 0;
  std::uint8_t interrupt_line_ = 0;
};

}  // namespace kvmbench
