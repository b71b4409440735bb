#include "devices/e1000/card.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "devices/register_access.hpp"

namespace kvmbench::e1000 {

namespace {

constexpr PciIdentity identity{.vendor = 0x8086,
                               .device = 0x100e,
                               .class_code = 0x02'0000,  // Ethernet controller
                               .revision = 2,
                               .subsystem_vendor = 0x8086,
                               .subsystem = 0x001e};  // PRO/1000 MT Desktop Adapter
constexpr unsigned memory_bar = 0, io_bar = 2;        // table 4-2: with 32-bit addresses, and without flash

// I/O registers (13.2.2). Bits 31 to 20 of IOADDR are 0.
constexpr std::uint64_t ioaddr = Card::io_registers, iodata = Card::io_registers + 4;
constexpr std::uint32_t ioaddr_writable = 0x000f'ffff;

/// Registers that keep what is written to `writable`.
struct Plain {
  std::uint32_t first;
  std::uint32_t end;
  std::uint32_t writable;
};
constexpr Plain one(std::uint32_t offset, std::uint32_t writable) noexcept {
  return {offset, offset + 4, writable};
}
constexpr std::uint32_t all_bits = 0xffff'ffff, word = 0xffff;
constexpr std::uint32_t flush_partial_block = 1u << 31;  // FPD, of RDTR and TIDV

constexpr auto plain = std::to_array<Plain>({
    one(reg::ctrl_ext, all_bits & ~std::uint32_t{ctrl_ext::ee_rst}),
    {reg::fcal, reg::fct + 4, all_bits},
    one(reg::vet, word),
    one(reg::itr, word),
    one(reg::rctl, 0x07ff'fffe),
    one(reg::fcttv, word),
    one(reg::txcw, all_bits),
    one(reg::tctl, 0x03ff'fffa),
    one(reg::tipg, 0x3fff'ffff),
    one(reg::ait, word),
    one(reg::ledctl, all_bits),
    one(reg::pba, word),
    one(reg::fcrtl, 0x8000'fff8),
    one(reg::fcrth, 0x0000'fff8),
    {reg::rdfh, reg::rdfpc + 4, 0x1fff},
    one(reg::rdbal, 0xffff'fff0),
    one(reg::rdbah, all_bits),
    one(reg::rdlen, 0x000f'ff80),
    one(reg::rdh, word),
    one(reg::rdt, word),
    one(reg::rdtr, word),
    one(reg::rxdctl, 0x013f'3f3f),
    one(reg::radv, word),
    one(reg::rsrpd, 0x0fff),
    one(reg::txdmac, 1),
    {reg::tdfh, reg::tdfpc + 4, 0x1fff},
    one(reg::tdbal, 0xffff'fff0),
    one(reg::tdbah, all_bits),
    one(reg::tdlen, 0x000f'ff80),
    one(reg::tdh, word),
    one(reg::tdt, word),
    one(reg::tidv, word),
    one(reg::txdctl, 0xff3f'3f3f),
    one(reg::tadv, word),
    one(reg::tspmt, all_bits),
    one(reg::rxcsum, 0x07ff),
    {reg::mta, reg::mta_end, all_bits},
    {reg::ral0, reg::ra_end, all_bits},
    {reg::vfta, reg::vfta_end, all_bits},
    {reg::wuc, reg::wupl, all_bits},
    {reg::wupm, reg::wupm_end, all_bits},
    {reg::fflt, reg::fflt_end, all_bits},
    {reg::ffmt, reg::ffmt_end, all_bits},
    {reg::ffvt, reg::ffvt_end, all_bits},
});

}  // namespace

Card::Card(std::string name, const MacAddress& address, GuestMemory& memory, NetworkBackend& backend,
           Alarm& alarm, const MonotonicClock& clock)
    : name_(std::move(name)),
      backend_(backend),
      alarm_(alarm),
      pci_(identity),
      eeprom_(address),
      interrupts_(pci_.interrupt(), clock),
      receiver_(registers_, memory, pci_, interrupts_, statistics_, counters_),
      transmitter_(registers_, memory, pci_, interrupts_, statistics_, counters_, *this) {
  phy_.set_cable(backend.link_up());
  reset();
}

void Card::add_bars(MmioBus& mmio, PortBus& ports) {
  pci_.add_memory_bar(memory_bar, mmio.add_window(memory_size, *this));
  pci_.add_io_bar(io_bar, ports.add_window(io_size, *this, io_registers));
}

/// Registers are 32 bits wide; a read of another width gives the bytes of those that it touches, each read
/// once.
std::uint64_t Card::read(std::uint64_t offset, unsigned width) noexcept {
  const std::lock_guard lock(mutex_);
  std::uint64_t value = all_ones(width);
  if (offset >= io_registers) {
    value = read_io(offset, width);
  } else {
    const std::uint64_t end = std::min(offset + width, memory_size);
    for (std::uint64_t at = offset & ~std::uint64_t{3}; at < end; at += 4) {
      value = read_from({at, 4}, read_register(at), offset, width, value);
    }
  }
  settle();
  return value;
}

/// Only whole registers are written: a narrower write, or one across them, is dropped (13.2.1 allows 32-bit
/// accesses only).
void Card::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (offset >= io_registers) {
      write_io(offset, width, value);
    } else if (offset % 4 == 0 && width % 4 == 0) {
      for (unsigned at = 0; at < width && offset + at < memory_size; at += 4) {
        write_register(offset + at, static_cast<std::uint32_t>(value >> 8 * at));
      }
    }
    settle();
  }
  backend_.room();
}

std::uint64_t Card::read_io(std::uint64_t offset, unsigned width) noexcept {
  std::uint64_t value = read_from({ioaddr, 4}, io_address_, offset, width, all_ones(width));
  if (reaches({iodata, 4}, offset, width)) {
    value = read_from({iodata, 4}, read_register(io_address_ & ~3u), offset, width, value);
  }
  return value;
}

void Card::write_io(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  if (width != 4) return;
  if (offset == ioaddr) io_address_ = static_cast<std::uint32_t>(value) & ioaddr_writable;
  if (offset == iodata) write_register(io_address_ & ~3u, static_cast<std::uint32_t>(value));
}

std::string Card::register_name(std::uint64_t offset, Direction) const {
  if (reaches({ioaddr, 4}, offset, 1)) return "IOADDR";
  if (reaches({iodata, 4}, offset, 1)) return "IODATA";
  return e1000::register_name(offset);
}

std::vector<Operation> Card::operations() const {
  std::vector<Operation> operations = counters_.operations();
  const std::lock_guard lock(mutex_);
  operations.push_back({"interrupts", interrupts_.count()});
  return operations;
}

bool Card::receive(const FrameHeader&, std::span<const std::byte> frame) noexcept {
  const std::lock_guard lock(mutex_);
  if (!link_up() || phy_.loopback()) return true;
  const bool taken = receiver_.receive(frame);
  settle();
  return taken;
}

void Card::link_changed() noexcept {
  const std::lock_guard lock(mutex_);
  phy_.set_cable(backend_.link_up());
  note_link();
  settle();
}

void Card::alarm() noexcept {
  const std::lock_guard lock(mutex_);
  alarm_at_.reset();
  if (frames_left_) transmit(steps_of_alarm);
  settle();
}

bool Card::send(std::span<const std::byte> frame) noexcept {
  if (phy_.loopback()) return receiver_.receive(frame);
  if (!link_up()) return false;
  const std::array pieces{frame};
  return backend_.send({.header = {}, .pieces = pieces});
}

std::uint32_t Card::read_register(std::uint64_t offset) noexcept {
  switch (offset) {
    case reg::status:
      return status();
    case reg::eecd:
      return eeprom_.read_eecd();
    case reg::eerd:
      return eeprom_.read_eerd();
    case reg::mdic:
      return phy_.read_mdic();
    case reg::icr:
      return interrupts_.read_icr();
    case reg::ims:
      return interrupts_.ims();
    default:
      break;
  }
  if (offset >= reg::statistics && offset < reg::statistics_end) {
    return statistics_.read((offset - reg::statistics) / 4);
  }
  return offset < RegisterFile::size ? std::as_const(registers_)[static_cast<std::uint32_t>(offset)] : 0;
}

void Card::write_register(std::uint64_t offset, std::uint32_t value) noexcept {
  switch (offset) {
    case reg::ctrl:
      write_ctrl(value);
      return;
    case reg::eecd:
      eeprom_.write_eecd(value);
      return;
    case reg::eerd:
      eeprom_.write_eerd(value);
      return;
    case reg::mdic:
      if (phy_.write_mdic(value)) interrupts_.raise(cause::mdac);
      note_link();
      return;
    case reg::icr:
      interrupts_.write_icr(value);
      return;
    case reg::ics:
      interrupts_.raise(value);
      return;
    case reg::ims:
      interrupts_.write_ims(value);
      return;
    case reg::imc:
      interrupts_.write_imc(value);
      return;
    default:
      break;
  }
  if (offset < RegisterFile::size) write_plain(static_cast<std::uint32_t>(offset), value);
}

void Card::write_plain(std::uint32_t offset, std::uint32_t value) noexcept {
  const auto found = std::find_if(plain.begin(), plain.end(), [offset](const Plain& each) {
    return offset >= each.first && offset < each.end;
  });
  if (found == plain.end()) return;  // read-only or reserved
  registers_[offset] = value & found->writable;
  if (offset == reg::rdtr && (value & flush_partial_block) != 0) interrupts_.flush_receive();
  if (offset == reg::tidv && (value & flush_partial_block) != 0) interrupts_.flush_transmit();
  if (offset == reg::ctrl_ext && (value & ctrl_ext::ee_rst) != 0) eeprom_.reset();
  stored(offset);
}

/// What follows from a register's new value.
void Card::stored(std::uint32_t offset) noexcept {
  switch (offset) {
    case reg::tdt:
    case reg::tctl:
      transmit(steps_at_once);
      return;
    case reg::itr:
      interrupts_.set_interval(registers_[offset]);
      return;
    case reg::rdtr:
      interrupts_.receive_timers().set_packet(registers_[offset]);
      return;
    case reg::radv:
      interrupts_.receive_timers().set_absolute(registers_[offset]);
      return;
    case reg::tidv:
      interrupts_.transmit_timers().set_packet(registers_[offset]);
      return;
    case reg::tadv:
      interrupts_.transmit_timers().set_absolute(registers_[offset]);
      return;
    default:
      return;
  }
}

void Card::write_ctrl(std::uint32_t value) noexcept {
  if ((value & ctrl::phy_rst) != 0) phy_.reset();
  if ((value & ctrl::rst) != 0) {
    reset();
    return;
  }
  registers_[reg::ctrl] = value & ~(ctrl::rst | ctrl::phy_rst);
  note_link();
}

std::uint32_t Card::status() const noexcept {
  const std::uint32_t up = link_up() ? std::uint32_t{status::lu} : 0;
  return status::fd | status::speed_1000 | status::asdv_1000 | up;
}

/// The MAC sees the PHY's link only with CTRL.SLU set (13.4.1).
bool Card::link_up() const noexcept {
  return (registers_[reg::ctrl] & ctrl::slu) != 0 && phy_.link_up();
}

void Card::note_link() noexcept {
  if (std::exchange(link_shown_, link_up()) != link_shown_) interrupts_.raise(cause::lsc);
}

void Card::transmit(unsigned steps) noexcept {
  frames_left_ = true;
  while (frames_left_ && steps-- > 0) frames_left_ = transmitter_.step();
}

void Card::settle() noexcept {
  std::optional<std::uint64_t> wanted = interrupts_.apply();
  if (frames_left_) wanted = Alarm::now;
  if (!wanted || (alarm_at_ && *alarm_at_ <= *wanted)) return;
  alarm_at_ = wanted;
  alarm_.set(*wanted);
}

/// CTRL.RST (14.4): everything but the PCI configuration and the PHY; what the EEPROM says is loaded anew.
void Card::reset() noexcept {
  registers_.clear();
  eeprom_.reset();
  phy_.reset_mdic();
  statistics_.clear();
  interrupts_.reset();
  receiver_.reset();
  transmitter_.reset();
  io_address_ = 0;
  frames_left_ = false;
  registers_[reg::ctrl] = ctrl::fd | ctrl::slu | ctrl::speed_1000;
  registers_[reg::vet] = 0x8100;
  registers_[reg::pba] = 0x0010'0030;  // 48 KiB for receiving, 16 for transmitting (13.4.49)
  registers_[reg::ral0] = std::uint32_t{eeprom_.word(1)} << 16 | eeprom_.word(0);
  registers_[reg::ral0 + 4] = rah::av | eeprom_.word(2);
  link_shown_ = link_up();
}

}  // namespace kvmbench::e1000
