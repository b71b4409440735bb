/// The Intel 82540EM Gigabit Ethernet controller (PRO/1000 MT Desktop), PCI 8086:100e.
///
/// Frames are sent on the vCPU that writes TDT, up to a bound; the alarm's thread sends what is left. There
/// is no FIFO between the wire and the ring: a frame that finds no descriptor waits in the backend. Not
/// there: flash, wake-up and management (their registers are memory), flow control, MAC loopback.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "devices/alarm.hpp"
#include "devices/clock.hpp"
#include "devices/device.hpp"
#include "devices/e1000/eeprom.hpp"
#include "devices/e1000/interrupts.hpp"
#include "devices/e1000/phy.hpp"
#include "devices/e1000/receiver.hpp"
#include "devices/e1000/register_file.hpp"
#include "devices/e1000/statistics.hpp"
#include "devices/e1000/transmitter.hpp"
#include "devices/mac_address.hpp"
#include "devices/network_backend.hpp"
#include "devices/network_counters.hpp"
#include "devices/pci_device.hpp"
#include "memory/guest_memory.hpp"

namespace kvmbench::e1000 {

class Card final : public Device, public FrameReceiver, public AlarmListener, private FrameSink {
 public:
  /// The device's offsets: the registers of the memory BAR from 0 on, and those of the I/O BAR.
  static constexpr std::uint64_t io_registers = 0x10'0000;
  static constexpr std::uint32_t io_size = 8;
  /// Steps of the transmit unit (a frame or a descriptor each) in one access of a vCPU, and in one alarm.
  static constexpr unsigned steps_at_once = 16, steps_of_alarm = 64;

  /// The alarm is to call alarm(), the backend to offer its frames to this.
  Card(std::string name, const MacAddress& address, GuestMemory& memory, NetworkBackend& backend,
       Alarm& alarm, const MonotonicClock& clock);

  /// Its place on the two buses, and its configuration header. Only while the machine is built.
  void add_bars(MmioBus& mmio, PortBus& ports);
  [[nodiscard]] PciDevice& pci() noexcept { return pci_; }

  // Device
  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;
  [[nodiscard]] std::vector<Operation> operations() const override;
  // FrameReceiver
  [[nodiscard]] bool receive(const FrameHeader& header, std::span<const std::byte> frame) noexcept override;
  void link_changed() noexcept override;
  // AlarmListener
  void alarm() noexcept override;

 private:
  // FrameSink
  bool send(std::span<const std::byte> frame) noexcept override;

  [[nodiscard]] std::uint32_t read_register(std::uint64_t offset) noexcept;
  void write_register(std::uint64_t offset, std::uint32_t value) noexcept;
  [[nodiscard]] std::uint64_t read_io(std::uint64_t offset, unsigned width) noexcept;
  void write_io(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept;
  void write_plain(std::uint32_t offset, std::uint32_t value) noexcept;
  void write_ctrl(std::uint32_t value) noexcept;
  void stored(std::uint32_t offset) noexcept;

  [[nodiscard]] std::uint32_t status() const noexcept;
  [[nodiscard]] bool link_up() const noexcept;
  void note_link() noexcept;
  void transmit(unsigned steps) noexcept;
  /// After each access, frame and alarm: drives the interrupt, and sets the alarm.
  void settle() noexcept;
  void reset() noexcept;

  const std::string name_;
  NetworkBackend& backend_;
  Alarm& alarm_;
  PciDevice pci_;
  NetworkCounters counters_;

  mutable std::mutex mutex_;
  RegisterFile registers_;
  Eeprom eeprom_;
  Phy phy_;
  Statistics statistics_;
  Interrupts interrupts_;
  Receiver receiver_;
  Transmitter transmitter_;
  std::uint32_t io_address_ = 0;
  bool link_shown_ = false;   // as STATUS.LU last was
  bool frames_left_ = false;  // for the alarm to send
  std::optional<std::uint64_t> alarm_at_;
};

}  // namespace kvmbench::e1000
