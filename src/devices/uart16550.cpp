#include "devices/uart16550.hpp"

#include <utility>

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

// Register offsets (table I).
enum : std::uint64_t {
  rbr_thr_dll = 0,
  ier_dlm = 1,
  iir_fcr = 2,
  lcr = 3,
  mcr = 4,
  lsr = 5,
  msr = 6,
  scr = 7,
};

// Register bits (table II).
enum : std::uint8_t {
  ier_erbfi = 0x01,
  ier_etbei = 0x02,
  ier_elsi = 0x04,
  ier_edssi = 0x08,
  ier_bits = 0x0f,

  iir_modem_status = 0x00,
  iir_none = 0x01,
  iir_thre = 0x02,
  iir_received_data = 0x04,
  iir_line_status = 0x06,
  iir_timeout = 0x0c,
  iir_fifos_enabled = 0xc0,

  fcr_fifo_enable = 0x01,
  fcr_rcvr_reset = 0x02,
  fcr_dma_mode = 0x08,
  fcr_trigger = 0xc0,

  lcr_set_break = 0x40,
  lcr_dlab = 0x80,

  mcr_dtr = 0x01,
  mcr_rts = 0x02,
  mcr_out1 = 0x04,
  mcr_out2 = 0x08,
  mcr_loop = 0x10,
  mcr_bits = 0x1f,

  lsr_dr = 0x01,
  lsr_oe = 0x02,
  lsr_bi = 0x10,
  lsr_thre = 0x20,
  lsr_temt = 0x40,
  lsr_fifo_error = 0x80,

  msr_dcts = 0x01,
  msr_ddsr = 0x02,
  msr_teri = 0x04,
  msr_ddcd = 0x08,
  msr_cts = 0x10,
  msr_dsr = 0x20,
  msr_ri = 0x40,
  msr_dcd = 0x80,
};

}  // namespace

Uart16550::Uart16550(std::string name, InterruptLine& line, CharacterSink& sink)
    : name_(std::move(name)), line_(line), sink_(sink) {}

std::uint64_t Uart16550::read(std::uint64_t offset, unsigned width) noexcept {
  return read_bytes(offset, width, size, [this](std::uint64_t at) {
    Outcome outcome;
    std::uint8_t value = 0;
    {
      const std::lock_guard lock(mutex_);
      value = read_register(at, outcome);
      drive_line();
    }
    if (outcome.receive_ready) receive_ready_->receive_ready();
    return value;
  });
}

void Uart16550::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  write_bytes(offset, width, value, size, [this](std::uint64_t at, std::uint8_t byte) {
    Outcome outcome;
    {
      const std::lock_guard lock(mutex_);
      write_register(at, byte, outcome);
      drive_line();
    }
    // A sink may wait for the thread that calls receive(): the lock must be free.
    if (outcome.transmit) {
      sink_.put(byte);
      if (transmit_observer_ != nullptr) transmit_observer_->transmitted(byte, outcome.interrupt_driven);
    }
    if (outcome.receive_ready) receive_ready_->receive_ready();
  });
}

std::string Uart16550::register_name(std::uint64_t offset, Direction direction) const {
  const bool read = direction != Direction::write;
  switch (offset) {
    case rbr_thr_dll:
      return read ? "RBR" : "THR";
    case ier_dlm:
      return "IER";
    case iir_fcr:
      return read ? "IIR" : "FCR";
    case lcr:
      return "LCR";
    case mcr:
      return "MCR";
    case lsr:
      return "LSR";
    case msr:
      return "MSR";
    case scr:
      return "SCR";
    default:
      return unnamed_register(offset);
  }
}

std::vector<Operation> Uart16550::operations() const {
  const std::lock_guard lock(mutex_);
  return {{"bytes", sent_ + received_}, {"bytes sent", sent_}, {"bytes received", received_}};
}

std::size_t Uart16550::receive(std::span<const std::uint8_t> characters) noexcept {
  const std::lock_guard lock(mutex_);
  std::size_t taken = 0;
  while (taken < characters.size() && take({characters[taken], 0})) ++taken;
  drive_line();
  return taken;
}

bool Uart16550::receive_break() noexcept {
  const std::lock_guard lock(mutex_);
  const bool taken = take({0, lsr_bi});
  drive_line();
  return taken;
}

std::uint8_t Uart16550::read_register(std::uint64_t offset, Outcome& outcome) noexcept {
  const bool dlab = (lcr_ & lcr_dlab) != 0;
  switch (offset) {
    case rbr_thr_dll: {
      if (dlab) return dll_;
      const std::uint8_t value = read_receive_buffer();
      note_room(outcome);
      return value;
    }
    case ier_dlm:
      return dlab ? dlm_ : ier_;
    case iir_fcr: {
      const std::uint8_t pending = pending_interrupt();
      if (pending == iir_thre) thre_pending_ = false;  // table IV
      return static_cast<std::uint8_t>(pending | (fifos_enabled() ? iir_fifos_enabled : 0));
    }
    case lcr:
      return lcr_;
    case mcr:
      return mcr_;
    case lsr: {
      const std::uint8_t status = line_status();
      shown_errors_ = 0;
      return status;
    }
    case msr:
      return static_cast<std::uint8_t>(std::exchange(msr_deltas_, std::uint8_t{0}) | modem_inputs());
    default:
      return scr_;
  }
}

void Uart16550::write_register(std::uint64_t offset, std::uint8_t value, Outcome& outcome) noexcept {
  const bool dlab = (lcr_ & lcr_dlab) != 0;
  switch (offset) {
    case rbr_thr_dll:
      if (dlab) {
        dll_ = value;
      } else {
        transmit(value, outcome);
      }
      break;
    case ier_dlm:
      if (dlab) {
        dlm_ = value;
      } else {
        write_ier(value);
      }
      break;
    case iir_fcr:
      write_fcr(value);
      note_room(outcome);
      break;
    case lcr:
      lcr_ = value;
      break;
    case mcr:
      write_mcr(value);
      note_room(outcome);
      break;
    case scr:
      scr_ = value;
      break;
    default:  // LSR and MSR: for factory tests only (8.4); writes are dropped
      break;
  }
}

void Uart16550::transmit(std::uint8_t value, Outcome& outcome) noexcept {
  // The write resets the THRE interrupt, and the empty THR raises it anew: an edge-triggered controller sees
  // both.
  thre_pending_ = false;
  drive_line();
  thre_pending_ = true;
  if (loopback()) {
    push({value, 0});
    return;
  }
  // While SOUT is held at break, characters do not come out (8.1, bit 6).
  outcome.transmit = (lcr_ & lcr_set_break) == 0;
  outcome.interrupt_driven = (ier_ & ier_etbei) != 0;
  if (outcome.transmit) ++sent_;
}

void Uart16550::write_ier(std::uint8_t value) noexcept {
  const bool was_enabled = (ier_ & ier_etbei) != 0;
  ier_ = value & ier_bits;
  // THR is empty: enabling its interrupt raises it at once (8.4, bit 5).
  if (!was_enabled && (ier_ & ier_etbei) != 0) thre_pending_ = true;
}

void Uart16550::write_fcr(std::uint8_t value) noexcept {
  const bool enable = (value & fcr_fifo_enable) != 0;
  if (enable != fifos_enabled() || (enable && (value & fcr_rcvr_reset) != 0)) clear_receiver();
  fcr_ = enable ? value & (fcr_fifo_enable | fcr_dma_mode | fcr_trigger) : 0;
}

void Uart16550::write_mcr(std::uint8_t value) noexcept {
  const std::uint8_t before = modem_inputs();
  mcr_ = value & mcr_bits;
  const std::uint8_t after = modem_inputs();
  const auto changed = static_cast<std::uint8_t>(before ^ after);
  if ((changed & msr_cts) != 0) msr_deltas_ |= msr_dcts;
  if ((changed & msr_dsr) != 0) msr_deltas_ |= msr_ddsr;
  if ((changed & before & msr_ri) != 0) msr_deltas_ |= msr_teri;
  if ((changed & msr_dcd) != 0) msr_deltas_ |= msr_ddcd;
}

std::uint8_t Uart16550::read_receive_buffer() noexcept {
  if (fifo_count_ == 0) return last_received_;
  last_received_ = fifo_[fifo_first_].value;
  fifo_first_ = (fifo_first_ + 1) % fifo_size;
  --fifo_count_;
  if (fifo_count_ != 0) shown_errors_ |= std::exchange(fifo_[fifo_first_].errors, std::uint8_t{0});
  return last_received_;
}

/// The interrupt of the highest priority, as in IIR bits 0 to 3 (table IV).
std::uint8_t Uart16550::pending_interrupt() const noexcept {
  if ((ier_ & ier_elsi) != 0 && shown_errors_ != 0) return iir_line_status;
  if ((ier_ & ier_erbfi) != 0 && fifo_count_ != 0) {
    return fifo_count_ >= trigger_level() ? iir_received_data : iir_timeout;
  }
  if ((ier_ & ier_etbei) != 0 && thre_pending_) return iir_thre;
  if ((ier_ & ier_edssi) != 0 && msr_deltas_ != 0) return iir_modem_status;
  return iir_none;
}

std::uint8_t Uart16550::line_status() const noexcept {
  unsigned status = lsr_thre | lsr_temt | shown_errors_;
  if (fifo_count_ != 0) status |= lsr_dr;
  if (fifos_enabled()) {
    unsigned errors = shown_errors_ & ~lsr_oe;
    for (std::size_t i = 0; i < fifo_count_; ++i) errors |= fifo_[(fifo_first_ + i) % fifo_size].errors;
    if (errors != 0) status |= lsr_fifo_error;
  }
  return static_cast<std::uint8_t>(status);
}

/// MSR bits 4 to 7: a terminal that is there and always ready, or in loopback the MCR's outputs (8.8, bit 4).
std::uint8_t Uart16550::modem_inputs() const noexcept {
  if (!loopback()) return msr_cts | msr_dsr | msr_dcd;
  unsigned inputs = 0;
  if ((mcr_ & mcr_rts) != 0) inputs |= msr_cts;
  if ((mcr_ & mcr_dtr) != 0) inputs |= msr_dsr;
  if ((mcr_ & mcr_out1) != 0) inputs |= msr_ri;
  if ((mcr_ & mcr_out2) != 0) inputs |= msr_dcd;
  return static_cast<std::uint8_t>(inputs);
}

bool Uart16550::fifos_enabled() const noexcept {
  return (fcr_ & fcr_fifo_enable) != 0;
}

bool Uart16550::loopback() const noexcept {
  return (mcr_ & mcr_loop) != 0;
}

std::size_t Uart16550::trigger_level() const noexcept {
  static constexpr std::array<std::size_t, 4> levels = {1, 4, 8, 14};  // 8.5
  return fifos_enabled() ? levels[fcr_ >> 6] : 1;
}

/// A character from outside, unless there is no room for it.
bool Uart16550::take(Character character) noexcept {
  if (loopback() || fifo_count_ >= capacity()) {
    refused_ = true;
    return false;
  }
  push(character);
  ++received_;
  return true;
}

/// A character that has arrived; where there is no room, one is lost (8.4, bit 1): the new one in FIFO mode,
/// the one that waits in 16450 mode.
void Uart16550::push(Character character) noexcept {
  if (fifo_count_ == capacity()) {
    shown_errors_ |= lsr_oe;
    if (!fifos_enabled()) fifo_[fifo_first_] = character;
    return;
  }
  if (fifo_count_ == 0) shown_errors_ |= std::exchange(character.errors, std::uint8_t{0});
  fifo_[(fifo_first_ + fifo_count_) % fifo_size] = character;
  ++fifo_count_;
}

void Uart16550::clear_receiver() noexcept {
  fifo_first_ = 0;
  fifo_count_ = 0;
}

void Uart16550::drive_line() noexcept {
  const bool out2_pin = (mcr_ & mcr_out2) != 0 && !loopback();
  const bool asserted = out2_pin && pending_interrupt() != iir_none;
  if (asserted == line_asserted_) return;
  line_asserted_ = asserted;
  line_.set(asserted);
}

void Uart16550::note_room(Outcome& outcome) noexcept {
  if (!refused_ || receive_ready_ == nullptr || loopback() || fifo_count_ != 0) return;
  refused_ = false;
  outcome.receive_ready = true;
}

}  // namespace kvmbench
