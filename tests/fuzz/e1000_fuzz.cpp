/// Whatever a guest writes to the registers of an e1000 and into the rings that it describes, wherever those
/// lie, and whatever comes over the wire meanwhile: nothing outside of the guest's memory is touched, frames
/// that leave are frames, one access does bounded work, and a card that is reset works again.
///
/// The input is a sequence of steps: one byte that says what, then its operands, little-endian; it ends where
/// it does.
#include <array>
#include <optional>

#include "devices/e1000/card.hpp"
#include "input.hpp"

namespace {

using namespace kvmbench;
using namespace kvmbench::fuzz;
namespace reg = e1000::reg;

constexpr std::uint64_t memory_size = 1 << 20;
constexpr MacAddress station{{2, 0, 0, 0, 0, 1}};

struct Network final : NetworkBackend {
  bool send(const OutgoingFrame& frame) noexcept override {
    require(frame.size() >= 14 && frame.size() <= max_frame_size);
    require(frame.header.flags == 0 && frame.header.gso_type == 0);
    std::array<std::byte, 64> copy;
    static_cast<void>(copy_frame(frame, copy));
    ++sent;
    return takes;
  }
  void room() noexcept override {}
  [[nodiscard]] NetworkOffloads offloads() const noexcept override { return {}; }
  void accept_offloads(const NetworkOffloads&) noexcept override {}
  [[nodiscard]] bool link_up() const noexcept override { return up; }
  [[nodiscard]] std::uint16_t mtu() const noexcept override { return 0; }
  void start(FrameReceiver&) override {}
  void stop() noexcept override {}

  unsigned sent = 0;
  bool takes = true;
  bool up = true;
};

struct Timer final : Alarm {
  void set(std::uint64_t nanoseconds) noexcept override { at = nanoseconds; }
  std::optional<std::uint64_t> at;
};

struct Clock final : MonotonicClock {
  [[nodiscard]] std::uint64_t nanoseconds() const noexcept override { return now; }
  std::uint64_t now = 0;
};

struct Machine {
  Machine() {
    card.add_bars(mmio, ports);
    card.pci().connect(1, line);
    card.pci().write_config(0x04, 7, 0xffff);
  }

  GuestMemory memory{memory_size};
  Network network;
  Timer timer;
  Clock clock;
  UnconnectedLine line;
  MmioBus mmio;
  PortBus ports;
  e1000::Card card{"e1000.0", station, memory, network, timer, clock};
};

/// One of the registers that do something, most of the time.
std::uint64_t take_offset(Input& input) {
  static constexpr std::array<std::uint32_t, 46> known = {
      reg::ctrl,  reg::status, reg::eecd, reg::eerd, reg::ctrl_ext, reg::mdic,   reg::vet,    reg::icr,
      reg::itr,   reg::ics,    reg::ims,  reg::imc,  reg::rctl,     reg::tctl,   reg::rdbal,  reg::rdbah,
      reg::rdlen, reg::rdh,    reg::rdt,  reg::rdtr, reg::radv,     reg::rsrpd,  reg::tdbal,  reg::tdbah,
      reg::tdlen, reg::tdh,    reg::tdt,  reg::tidv, reg::tadv,     reg::rxcsum, reg::mta,    reg::ral0,
      reg::vfta,  0x4010,      0x4074,    0x408c,    0x40f8,        0x4088,      reg::txdctl, reg::pba,
      0x5404,     0x52fc,      0x10'0000, 0x10'0004, 0x1'fffc,      0x10'0008};
  const auto choice = input.take<std::uint8_t>();
  if (choice == 0xff) return input.take<std::uint32_t>();
  return known[choice % known.size()] + choice / known.size() % 2;
}

/// An address: low ones, where descriptors and buffers meet, the end of memory, and any.
std::uint64_t take_address(Input& input) {
  const auto kind = input.take<std::uint8_t>();
  switch (kind % 4) {
    case 0:
    case 1:
      return std::uint64_t{input.take<std::uint16_t>()} << 4;
    case 2:
      return memory_size - input.take<std::uint8_t>();
    default:
      return input.take<std::uint64_t>();
  }
}

void receive(Machine& machine, Input& input) {
  static constexpr std::array<std::uint16_t, 8> sizes = {1, 14, 60, 342, 1514, 1519, 9018, 16381};
  static std::array<std::byte, max_frame_size> frame;
  const auto kind = input.take<std::uint8_t>();
  const std::size_t size = kind >= 0xf0 ? max_frame_size : sizes[kind % sizes.size()];
  frame.fill(std::byte{0});
  for (std::size_t i = 0; i < MacAddress::size; ++i) frame[i] = static_cast<std::byte>(station.bytes[i]);
  const auto head = input.take_bytes(kind / sizes.size());
  if (!head.empty()) std::memcpy(frame.data() + (kind % 2 == 0 ? 0 : 12), head.data(), head.size());
  static_cast<void>(machine.card.receive({}, std::span(frame).first(size)));
}

void ring_alarm(Machine& machine) {
  machine.timer.at.reset();
  const unsigned before = machine.network.sent;
  machine.card.alarm();
  require(machine.network.sent - before <= e1000::Card::steps_of_alarm);
}

void step(Machine& machine, Input& input) {
  enum : std::uint8_t {
    read,
    write,
    write_any_width,
    describe,
    fill,
    frame,
    time,
    alarm,
    link,
    config,
    steps
  };
  const auto choice = input.take<std::uint8_t>();
  const unsigned width = 1 + choice / steps % 8;
  switch (choice % steps) {
    case read: {
      const std::uint64_t offset = take_offset(input);
      require(!machine.card.register_name(offset, Direction::read).empty());
      require((machine.card.read(offset, width) & ~all_ones(width)) == 0);
      break;
    }
    case write:
    case write_any_width: {
      const std::uint64_t offset = take_offset(input);
      const unsigned before = machine.network.sent;
      if (choice % steps == write) {
        machine.card.write(offset, 4, input.take<std::uint32_t>());
      } else {
        machine.card.write(offset, width, input.take<std::uint64_t>());
      }
      require(machine.network.sent - before <= 2 * e1000::Card::steps_at_once);
      break;
    }
    case describe: {  // a descriptor
      const Gpa at{std::uint64_t{input.take<std::uint16_t>()} << 4};
      static_cast<void>(machine.memory.store(at, take_address(input)));
      static_cast<void>(machine.memory.store(at + 8, input.take<std::uint64_t>()));
      break;
    }
    case fill: {
      const std::uint64_t at = take_address(input);
      const auto bytes = std::as_bytes(input.take_bytes(choice / steps * 4u));
      if (!bytes.empty()) static_cast<void>(machine.memory.write(Gpa{at}, bytes));
      break;
    }
    case frame:
      receive(machine, input);
      break;
    case time:
      machine.clock.now += input.take<std::uint32_t>();
      break;
    case alarm:
      ring_alarm(machine);
      break;
    case link:
      machine.network.up = choice / steps % 2 == 0;
      machine.network.takes = choice / steps % 4 < 2;
      machine.card.link_changed();
      break;
    default:
      machine.card.pci().write_config(4 * (choice / steps % 16u), input.take<std::uint32_t>(), 0xffffffff);
      static_cast<void>(machine.card.pci().read_config(4 * (choice / steps % 16u)));
      break;
  }
}

/// Whatever has become of it, a reset and a ring bring the card back.
void require_works(Machine& machine) {
  e1000::Card& card = machine.card;
  machine.network.up = machine.network.takes = true;
  card.link_changed();
  card.pci().write_config(0x04, 7, 0xffff);
  card.write(reg::mdic, 4, 1u << 26 | 1u << 21 | 0x9140);  // PHY reset
  card.write(reg::ctrl, 4, 1u << 26);
  require((card.read(reg::status, 4) & 2) != 0);
  require(machine.memory.store(Gpa{0x100}, std::uint64_t{0x1000}));
  require(machine.memory.store(Gpa{0x108}, std::uint64_t{60 | 1u << 24}));
  card.write(reg::tdbal, 4, 0x100);
  card.write(reg::tdlen, 4, 0x80);
  card.write(reg::tctl, 4, 2);
  const unsigned before = machine.network.sent;
  card.write(reg::tdt, 4, 1);
  require(machine.network.sent == before + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  Machine machine;
  while (!input.empty()) step(machine, input);
  for (unsigned alarms = 0; machine.timer.at && alarms < 100; ++alarms) ring_alarm(machine);
  require_works(machine);
  return 0;
}
