/// Any sequence of accesses and of events on the host's side does no harm to the devices: nothing is touched
/// outside of them, a read gives no more than its width, and what the I/O APIC sends is an interrupt message.
///
/// The input is a sequence of steps: one byte that says what, then its operands, little-endian; it ends where
/// it does.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "devices/acpi_pm.hpp"
#include "devices/bus.hpp"
#include "devices/cmos_rtc.hpp"
#include "devices/debug_console.hpp"
#include "devices/debug_exit.hpp"
#include "devices/i8042.hpp"
#include "devices/interrupt_source.hpp"
#include "devices/io_apic.hpp"
#include "devices/pci_config.hpp"
#include "devices/pci_device.hpp"
#include "devices/pci_firmware.hpp"
#include "devices/pci_routing.hpp"
#include "devices/post_port.hpp"
#include "devices/reset_control.hpp"
#include "devices/shared_line.hpp"
#include "devices/system_control_port_a.hpp"
#include "devices/uart16550.hpp"
#include "input.hpp"

namespace {

using namespace kvmbench;
using fuzz::Input;
using fuzz::require;

struct Power final : PowerControl {
  void power_off() noexcept override {}
  void reset(std::string_view by) noexcept override { require(!by.empty()); }
  void debug_exit(std::uint32_t) noexcept override {}
};

struct Marks final : PhaseMarks {
  void post_code(std::uint8_t) noexcept override {}
};

/// KVM's side of the I/O APIC: messages are well-formed, and routes are of pins that exist.
struct Messages final : MessageSink {
  void send(std::uint64_t address, std::uint32_t data) noexcept override { check(address, data); }
  void route(unsigned pin, std::uint64_t address, std::uint32_t data, bool) noexcept override {
    require(pin < IoApic::pins);
    check(address, data);
  }
  static void check(std::uint64_t address, std::uint32_t data) {
    require((address & ~std::uint64_t{0x000ff004}) == 0xfee00000);
    require((data & ~std::uint32_t{0xc7ff}) == 0);
  }
};

struct Monotonic final : MonotonicClock {
  [[nodiscard]] std::uint64_t nanoseconds() const noexcept override { return now; }
  std::uint64_t now = 0;
};

/// 2024 to some centuries later; it may be set back, though not before its start.
struct Wall final : WallClock {
  static constexpr TimePoint start = std::chrono::sys_days(std::chrono::year(2024) / 2 / 29);
  static constexpr TimePoint end = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);

  [[nodiscard]] TimePoint now() const noexcept override { return time; }
  void move(std::chrono::nanoseconds by) { time = std::clamp(time + by, start, end); }
  TimePoint time = start;
};

/// Offers the UART what it has not taken yet, as the host's input does.
struct Typist final : ReceiveReady {
  explicit Typist(Uart16550& target) : uart(target) {}
  void receive_ready() noexcept override { pending = pending.subspan(uart.receive(pending)); }
  void type(std::span<const std::uint8_t> text) {
    pending = text;
    receive_ready();
  }
  Uart16550& uart;
  std::span<const std::uint8_t> pending;
};

struct Rearm final : DeadlineListener {
  explicit Rearm(CmosRtc& target) : rtc(target) {}
  void rearm() noexcept override { static_cast<void>(rtc.next_deadline()); }
  CmosRtc& rtc;
};

/// What is begun can be: a page in RAM, a way that is there.
struct Raiser final : InterruptRaiser {
  [[nodiscard]] std::uint32_t ways() const noexcept override { return offered; }
  bool begin(const InterruptRequest& request) noexcept override {
    require(request.page.size() == 4096 && request.count > 0 && request.gap <= 1'000'000);
    require(request.way < 32 && ((offered >> request.way) & 1) != 0);
    is_busy = !is_busy;  // as one that ends by itself, sooner or later
    return is_busy;
  }
  void end() noexcept override { is_busy = false; }
  void deassert() noexcept override {}
  [[nodiscard]] bool busy() const noexcept override { return is_busy; }
  [[nodiscard]] bool gave_up() const noexcept override { return false; }
  [[nodiscard]] std::uint64_t handled() const noexcept override { return 0; }
  static constexpr std::uint32_t offered = 0x1d;
  bool is_busy = false;
};

/// What a PCI function's base address registers lead to: it checks that no access leaves its window, and
/// drives its interrupt pin.
struct PciRegisters final : Device {
  PciRegisters(std::uint64_t memory_length, std::uint64_t io_length)
      : memory_size(memory_length), io_size(io_length) {}
  std::uint64_t read(std::uint64_t offset, unsigned) noexcept override {
    check(offset);
    return 0;
  }
  void write(std::uint64_t offset, unsigned, std::uint64_t value) noexcept override {
    check(offset);
    if (pin != nullptr) pin->set(value % 2 != 0);
  }
  [[nodiscard]] std::string_view name() const override { return "pci-device"; }
  [[nodiscard]] std::string register_name(std::uint64_t, Direction) const override { return "register"; }
  void check(std::uint64_t offset) const {
    require(offset < memory_size || (offset >= io_offset && offset - io_offset < io_size));
  }

  static constexpr std::uint64_t io_offset = 0x1'0000'0000;
  std::uint64_t memory_size, io_size;
  InterruptLine* pin = nullptr;
};

/// All devices where a PC has them, their lines on the I/O APIC; two PCI functions on one link.
struct Machine {
  Machine() {
    for (unsigned i = 0; i < 2; ++i) {
      functions[i].add_memory_bar(i, mmio.add_window(registers[i].memory_size, registers[i]));
      functions[i].add_io_bar(i + 2, ports.add_window(static_cast<std::uint32_t>(registers[i].io_size),
                                                      registers[i], PciRegisters::io_offset));
      functions[i].connect(1, link.add_source());
      registers[i].pin = &functions[i].interrupt();
      pci.attach(3 + i * pci_routing::links, 0, functions[i]);
    }
    set_up_pci(pci, {.memory_first = 0xc000'0000,
                     .memory_end = 0xd000'0000,
                     .ports_first = 0xc000,
                     .ports_end = 0x1'0000});
    uart.set_receive_ready(typist);
    rtc.set_deadline_listener(rearm);
    ports.attach(0x60, 1, i8042, I8042::data_port);
    ports.attach(0x64, 1, i8042, I8042::command_port);
    ports.attach(0x70, CmosRtc::size, rtc);
    ports.attach(0x80, PostPort::size, post);
    ports.attach(0x92, SystemControlPortA::size, port92);
    ports.attach(0xe9, DebugConsole::size, console);
    ports.attach(0xf4, DebugExit::size, debug_exit);
    ports.attach(0x3f8, Uart16550::size, uart);
    ports.attach(0x600, AcpiPm::size, acpi_pm);
    ports.attach(0xe40, InterruptSource::size, interrupt_source);
    ports.attach(0xcf8, 1, pci, PciConfig::config_address);
    ports.attach(0xcf9, ResetControl::size, reset_control);
    ports.attach(0xcfc, 4, pci, PciConfig::config_data);
    mmio.attach(0xfec00000, IoApic::size, io_apic);
  }

  Power power;
  Marks marks;
  Messages messages;
  Monotonic monotonic;
  Wall wall;
  NullSink sink;

  IoApic io_apic{messages};
  Uart16550 uart{"uart0", io_apic.pin(4), sink};
  Typist typist{uart};
  DebugConsole console{"debugcon", sink};
  PostPort post{marks};
  DebugExit debug_exit{power};
  AcpiPm acpi_pm{io_apic.pin(9), power, monotonic};
  ResetControl reset_control{power};
  SystemControlPortA port92{power};
  PciConfig pci;
  I8042 i8042{io_apic.pin(1), power};
  CmosRtc rtc{io_apic.pin(8), wall, {.below_4g = 3ull << 30, .above_4g = 1ull << 30}};
  Rearm rearm{rtc};
  GuestMemory memory{1 << 20};
  Raiser raiser;
  InterruptSource interrupt_source{memory, raiser};
  PortBus ports;
  MmioBus mmio;
  SharedLine link{io_apic.pin(pci_routing::first_gsi + pci_routing::link_of(3, 1))};
  std::array<PciRegisters, 2> registers{{{0x20000, 64}, {0x1000, 16}}};
  std::array<PciDevice, 2> functions{PciDevice({.vendor = 1, .device = 2, .class_code = 0x020000}),
                                     PciDevice({.vendor = 1, .device = 3, .class_code = 0x010180})};
};

void access(const BusTarget& target, unsigned width, Direction direction, Input& input) {
  const auto value = input.take<std::uint64_t>();
  if (target.device == nullptr) return;
  require(!target.device->name().empty());
  require(!target.device->register_name(target.offset, direction).empty());
  if (direction == Direction::write) {
    target.device->write(target.offset, width, value);
  } else {
    require((target.device->read(target.offset, width) & ~all_ones(width)) == 0);
  }
}

/// A port: one of those that devices have, most of the time.
std::uint16_t take_port(Input& input) {
  static constexpr std::array<std::uint16_t, 16> firsts = {
      0x60, 0x64, 0x70, 0x71, 0x80, 0x92, 0xe9, 0xf4, 0x3f8, 0x3fc, 0x600, 0x604, 0x608, 0xcf8, 0xcf9, 0xcfc};
  const auto choice = input.take<std::uint8_t>();
  if (choice == 0xff) return input.take<std::uint16_t>();
  if (choice == 0xfe)
    return static_cast<std::uint16_t>(0xe40 + input.take<std::uint8_t>() % InterruptSource::size);
  return static_cast<std::uint16_t>(firsts[choice % firsts.size()] + choice / firsts.size() % 4);
}

void step(Machine& machine, Input& input) {
  enum : std::uint8_t {
    read_port,
    write_port,
    read_mmio,
    write_mmio,
    type,
    break_,
    time,
    tick,
    button,
    eoi,
    pin,
    read_anywhere,
    write_anywhere,
    steps
  };
  const auto choice = input.take<std::uint8_t>();
  const auto direction = [](bool write) { return write ? Direction::write : Direction::read; };
  switch (choice % steps) {
    case read_port:
    case write_port: {
      const unsigned width = 1u << (choice / steps % 3);
      access(machine.ports.find(take_port(input)), width, direction(choice % steps == write_port), input);
      break;
    }
    case read_mmio:
    case write_mmio: {
      const unsigned width = 1 + choice / steps % 8;
      const std::uint64_t address = 0xfec00000 + std::uint64_t{input.take<std::uint16_t>()};
      access(machine.mmio.find(address), width, direction(choice % steps == write_mmio), input);
      break;
    }
    case read_anywhere:
    case write_anywhere: {  // wherever a base address register has been moved to
      const unsigned width = 1 + choice / steps % 8;
      const std::uint64_t address = std::uint64_t{input.take<std::uint16_t>()} << 16;
      access(machine.mmio.find(address + input.take<std::uint16_t>()), width,
             direction(choice % steps == write_anywhere), input);
      break;
    }
    case type:
      machine.typist.type(input.take_bytes(choice / steps));
      break;
    case break_:
      static_cast<void>(machine.uart.receive_break());
      break;
    case time: {
      const auto by = input.take<std::int64_t>();
      machine.monotonic.now += static_cast<std::uint64_t>(by) >> 8;
      machine.wall.move(std::chrono::nanoseconds(by >> 8));
      break;
    }
    case tick:
      machine.rtc.tick();
      break;
    case button:
      machine.acpi_pm.press_power_button();
      break;
    case eoi:
      machine.io_apic.end_of_interrupt(input.take<std::uint8_t>());
      break;
    default:
      machine.io_apic.pin(choice / steps % IoApic::pins).set(input.take<std::uint8_t>() % 2 != 0);
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  Machine machine;
  while (!input.empty()) step(machine, input);
  return 0;
}
