/// The 16550A UART of a PC. Section numbers: National Semiconductor / TI PC16550D data sheet (SNLS378),
/// chapter 8.
///
/// Transmission takes no time: a byte written to THR is at the host before the write returns, so THRE and
/// TEMT are always set. All 8 bits of a character go through whatever word length LCR sets. Reception takes
/// no time either, and a character that waits below the trigger level is taken to have waited for the four
/// character times of the timeout interrupt already (8.11): the guest is told of it at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "devices/character_port.hpp"
#include "devices/character_sink.hpp"
#include "devices/device.hpp"
#include "devices/interrupt_line.hpp"

namespace kvmbench {

/// Registers by offset; which one offsets 0 and 1 reach depends on LCR.DLAB (table I).
class Uart16550 final : public Device {
 public:
  static constexpr std::uint64_t size = 8;
  static constexpr std::size_t fifo_size = 16;

  /// The listeners may be null. The line is driven as on a PC, where the OUT 2 pin gates the chip's INTR (in
  /// loopback that pin is inactive, 8.8).
  Uart16550(std::string name, InterruptLine& line, CharacterSink& sink);

  /// Once each, before the machine runs.
  void set_receive_ready(ReceiveReady& listener) noexcept { receive_ready_ = &listener; }
  void set_transmit_observer(TransmitObserver& observer) noexcept { transmit_observer_ = &observer; }

  std::uint64_t read(std::uint64_t offset, unsigned width) noexcept override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept override;
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string register_name(std::uint64_t offset, Direction direction) const override;
  /// bytes, and of these sent and received.
  [[nodiscard]] std::vector<Operation> operations() const override;

  /// Offers characters from outside; returns how many of them, from the first, were taken: as many as there
  /// is room for, none in loopback (8.8: SIN is disconnected). Where that is fewer than offered,
  /// receive_ready() follows. Any thread.
  [[nodiscard]] std::size_t receive(std::span<const std::uint8_t> characters) noexcept;

  /// A break on the line: a zero character with LSR.BI (8.4). False where there is no room, as for receive().
  [[nodiscard]] bool receive_break() noexcept;

 private:
  struct Character {
    std::uint8_t value = 0;
    std::uint8_t errors =
        0;  ///< LSR's PE, FE and BI, which show when the character is at the top of the FIFO
  };
  /// What is left to do once the lock is released.
  struct Outcome {
    bool transmit = false;
    bool interrupt_driven = false;
    bool receive_ready = false;
  };

  [[nodiscard]] std::uint8_t read_register(std::uint64_t offset, Outcome& outcome) noexcept;
  void write_register(std::uint64_t offset, std::uint8_t value, Outcome& outcome) noexcept;
  void transmit(std::uint8_t value, Outcome& outcome) noexcept;
  void write_ier(std::uint8_t value) noexcept;
  void write_fcr(std::uint8_t value) noexcept;
  void write_mcr(std::uint8_t value) noexcept;
  [[nodiscard]] std::uint8_t read_receive_buffer() noexcept;
  [[nodiscard]] std::uint8_t pending_interrupt() const noexcept;
  [[nodiscard]] std::uint8_t line_status() const noexcept;
  [[nodiscard]] std::uint8_t modem_inputs() const noexcept;
  [[nodiscard]] bool fifos_enabled() const noexcept;
  [[nodiscard]] bool loopback() const noexcept;
  [[nodiscard]] std::size_t capacity() const noexcept { return fifos_enabled() ? fifo_size : 1; }
  [[nodiscard]] std::size_t trigger_level() const noexcept;
  [[nodiscard]] bool take(Character character) noexcept;
  void push(Character character) noexcept;
  void clear_receiver() noexcept;
  void drive_line() noexcept;
  void note_room(Outcome& outcome) noexcept;

  const std::string name_;
  InterruptLine& line_;
  CharacterSink& sink_;
  ReceiveReady* receive_ready_ = nullptr;
  TransmitObserver* transmit_observer_ = nullptr;

  mutable std::mutex mutex_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::array<Character, fifo_size> fifo_{};
  std::size_t fifo_first_ = 0;
  std::size_t fifo_count_ = 0;
  std::uint8_t last_received_ = 0;
  std::uint8_t dll_ = 0;
  std::uint8_t dlm_ = 0;
  std::uint8_t ier_ = 0;
  std::uint8_t fcr_ = 0;
  std::uint8_t lcr_ = 0;
  std::uint8_t mcr_ = 0;
  std::uint8_t scr_ = 0;
  std::uint8_t msr_deltas_ = 0;
  std::uint8_t shown_errors_ = 0;  ///< OE, and the errors of the character at the top, until LSR is read
  bool thre_pending_ = false;
  bool line_asserted_ = false;
  bool refused_ = false;  ///< receive() took less than it was offered
};

}  // namespace kvmbench
