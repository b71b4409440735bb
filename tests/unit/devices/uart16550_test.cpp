#include "devices/uart16550.hpp"

#include <catch2/catch.hpp>
#include <span>
#include <thread>
#include <vector>

#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

namespace {

// Offsets and values are those of the PC16550D data sheet, tables I, II and IV.
constexpr unsigned rbr = 0, thr = 0, dll = 0, ier = 1, dlm = 1, iir = 2, fcr = 2, lcr = 3, mcr = 4, lsr = 5,
                   msr = 6, scr = 7;
constexpr std::uint8_t out2 = 0x08, loop = 0x10, dlab = 0x80;
constexpr std::uint8_t erbfi = 1, etbei = 2, elsi = 4, edssi = 8;

struct CountingReady final : ReceiveReady {
  void receive_ready() noexcept override { ++calls; }
  unsigned calls = 0;
};

struct RecordingObserver final : TransmitObserver {
  void transmitted(std::uint8_t byte, bool interrupt_driven) noexcept override {
    seen.emplace_back(byte, interrupt_driven);
  }
  std::vector<std::pair<std::uint8_t, bool>> seen;
};

struct Fixture {
  Fixture() {
    uart.set_receive_ready(ready);
    uart.set_transmit_observer(observer);
  }

  std::uint8_t read(unsigned offset) { return static_cast<std::uint8_t>(uart.read(offset, 1)); }
  void write(unsigned offset, std::uint8_t value) { uart.write(offset, 1, value); }
  std::size_t receive(std::string_view text) {
    return uart.receive({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

  RecordingLine line;
  RecordingSink sink;
  CountingReady ready;
  RecordingObserver observer;
  Uart16550 uart{"uart0", line, sink};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "after reset the transmitter is empty and no interrupt is pending", "[uart]") {
  CHECK(read(ier) == 0);
  CHECK(read(iir) == 0x01);
  CHECK(read(lcr) == 0);
  CHECK(read(mcr) == 0);
  CHECK(read(lsr) == 0x60);
  CHECK(read(msr) == 0xb0);  // DCD, DSR, CTS: a terminal that is there
  CHECK_FALSE(line.level);
}

TEST_CASE_METHOD(Fixture, "a byte written to THR is at the sink, and the transmitter is empty again",
                 "[uart]") {
  write(thr, 'k');
  CHECK(sink.text == "k");
  CHECK(read(lsr) == 0x60);
}

TEST_CASE_METHOD(Fixture, "the observer learns of each byte whether its interrupt was enabled", "[uart]") {
  write(thr, 'a');
  write(ier, etbei);
  write(thr, 'b');
  CHECK(observer.seen == std::vector<std::pair<std::uint8_t, bool>>{{'a', false}, {'b', true}});
}

TEST_CASE_METHOD(Fixture, "with DLAB set offsets 0 and 1 are the divisor latches", "[uart]") {
  write(lcr, dlab | 0x03);
  write(dll, 0x34);
  write(dlm, 0x12);
  CHECK(read(dll) == 0x34);
  CHECK(read(dlm) == 0x12);
  CHECK(uart.read(0, 2) == 0x1234);
  write(lcr, 0x03);
  CHECK(read(ier) == 0);
  CHECK(sink.text.empty());
}

TEST_CASE_METHOD(Fixture, "register bits that do not exist read as 0", "[uart]") {
  write(ier, 0xff);
  CHECK(read(ier) == 0x0f);
  write(mcr, 0xff);
  CHECK(read(mcr) == 0x1f);
}

TEST_CASE_METHOD(Fixture, "the scratchpad and LCR keep what is written; LSR and MSR cannot be written",
                 "[uart]") {
  write(scr, 0xa5);
  CHECK(read(scr) == 0xa5);
  write(lcr, 0x1f);
  CHECK(read(lcr) == 0x1f);
  write(lsr, 0x00);
  CHECK(read(lsr) == 0x60);
  write(msr, 0x00);
  CHECK(read(msr) == 0xb0);
}

TEST_CASE_METHOD(Fixture, "a wider access is one byte access a register, lowest first", "[uart]") {
  write(scr, 0x5a);
  write(lcr, 0x03);
  CHECK(uart.read(6, 2) == 0x5ab0);
  CHECK(uart.read(3, 4) == 0xb0600003);  // LCR, MCR, LSR, MSR
  CHECK(uart.read(5, 4) == 0xff5ab060);
  uart.write(6, 4, 0x11223344);  // MSR dropped, SCR, past the end dropped
  CHECK(read(scr) == 0x33);
  uart.write(0, 2, 0x0f41);  // THR, IER
  CHECK(sink.text == "A");
  CHECK(read(ier) == 0x0f);
}

TEST_CASE_METHOD(Fixture, "past its eight registers the UART reads as ones and drops writes", "[uart]") {
  CHECK(reads_ones_past(uart, Uart16550::size));
  write_past(uart, Uart16550::size, 0x4141414141414141);
  CHECK(sink.text.empty());
  CHECK(read(scr) == 0);
}

TEST_CASE_METHOD(Fixture, "every register answers a read of every width", "[uart]") {
  for (unsigned offset = 0; offset < 8; ++offset) {
    for (unsigned width = 1; width <= 8; ++width) {
      const std::uint64_t value = uart.read(offset, width);
      INFO("offset " << offset << " width " << width);
      CHECK((value & ~all_ones(width)) == 0);
      CHECK((value & 0xff) == read(offset));
    }
  }
}

TEST_CASE_METHOD(Fixture, "registers are named by offset and direction", "[uart]") {
  const auto names = [&](Direction direction) {
    std::string all;
    for (unsigned offset = 0; offset <= 8; ++offset) all += uart.register_name(offset, direction) + " ";
    return all;
  };
  CHECK(names(Direction::read) == "RBR IER IIR LCR MCR LSR MSR SCR +0x8 ");
  CHECK(names(Direction::write) == "THR IER FCR LCR MCR LSR MSR SCR +0x8 ");
  CHECK(uart.name() == "uart0");
}

TEST_CASE_METHOD(Fixture, "OUT2 gates the interrupt line", "[uart]") {
  write(ier, etbei);
  CHECK(read(iir) == 0x02);
  CHECK_FALSE(line.level);
  write(mcr, out2);
  write(thr, 'x');
  CHECK(line.level);
  write(mcr, 0);
  CHECK_FALSE(line.level);
}

TEST_CASE_METHOD(Fixture, "enabling the THRE interrupt raises it at once, reading IIR clears it", "[uart]") {
  write(mcr, out2);
  write(ier, etbei);
  CHECK(line.level);
  CHECK(read(iir) == 0x02);
  CHECK_FALSE(line.level);
  CHECK(read(iir) == 0x01);
  write(ier, etbei);  // not newly enabled
  CHECK_FALSE(line.level);
  write(ier, 0);
  write(ier, etbei);
  CHECK(line.level);
}

TEST_CASE_METHOD(Fixture, "writing THR resets the THRE interrupt and raises it anew: an edge each",
                 "[uart]") {
  write(mcr, out2);
  write(ier, etbei);
  CHECK(line.rises == 1);
  write(thr, 'a');
  CHECK(line.rises == 2);
  CHECK(line.level);
  CHECK(read(iir) == 0x02);
  write(thr, 'b');
  CHECK(line.rises == 3);
}

TEST_CASE_METHOD(Fixture, "reading IIR does not clear THRE while a higher source is indicated", "[uart]") {
  write(ier, erbfi | etbei);
  REQUIRE(receive("x") == 1);
  CHECK(read(iir) == 0x04);
  CHECK(read(rbr) == 'x');
  CHECK(read(iir) == 0x02);
}

TEST_CASE_METHOD(Fixture, "IIR shows the sources in the order of table IV", "[uart]") {
  write(fcr, 0x01);
  write(mcr, loop);  // CTS, DSR, DCD go away: deltas
  write(mcr, out2);  // the break below comes from outside
  write(ier, erbfi | etbei | elsi | edssi);
  REQUIRE(uart.receive_break());
  CHECK(read(iir) == 0xc6);
  CHECK(line.level);
  CHECK(read(lsr) == 0xf1);  // FIFO error, TEMT, THRE, BI, DR
  CHECK(read(iir) == 0xc4);
  CHECK(read(rbr) == 0);
  CHECK(read(iir) == 0xc2);
  CHECK(read(iir) == 0xc0);
  CHECK((read(msr) & 0x0f) == 0x0b);
  CHECK(read(iir) == 0xc1);
  CHECK_FALSE(line.level);
}

TEST_CASE_METHOD(Fixture, "without FIFOs one character is held and the rest stays with the host", "[uart]") {
  CHECK(receive("ab") == 1);
  CHECK(receive("b") == 0);
  CHECK(read(lsr) == 0x61);
  CHECK(ready.calls == 0);
  CHECK(read(rbr) == 'a');
  CHECK(ready.calls == 1);
  CHECK(read(lsr) == 0x60);
  CHECK(receive("b") == 1);
  CHECK(read(rbr) == 'b');
  CHECK(ready.calls == 1);  // nothing was refused since
}

TEST_CASE_METHOD(Fixture, "the receive FIFO takes 16 characters and gives them in order", "[uart]") {
  write(fcr, 0x01);
  CHECK(receive("0123456789abcdefGH") == 16);
  std::string got;
  for (int i = 0; i < 15; ++i) got.push_back(static_cast<char>(read(rbr)));
  CHECK(ready.calls == 0);
  got.push_back(static_cast<char>(read(rbr)));
  CHECK(got == "0123456789abcdef");
  CHECK(ready.calls == 1);
  CHECK(receive("GH") == 2);
  CHECK(read(rbr) == 'G');
  CHECK(read(rbr) == 'H');
}

TEST_CASE_METHOD(Fixture, "reading RBR when nothing waits repeats the last character", "[uart]") {
  REQUIRE(receive("z") == 1);
  CHECK(read(rbr) == 'z');
  CHECK(read(rbr) == 'z');
  CHECK(read(lsr) == 0x60);
}

TEST_CASE_METHOD(Fixture, "the trigger levels are 1, 4, 8 and 14; below them it is a timeout", "[uart]") {
  const std::pair<std::uint8_t, std::size_t> levels[] = {{0x01, 1}, {0x41, 4}, {0x81, 8}, {0xc1, 14}};
  write(ier, erbfi);
  for (const auto& [control, level] : levels) {
    write(fcr, static_cast<std::uint8_t>(control | 0x02));
    for (std::size_t count = 1; count <= 16; ++count) {
      REQUIRE(receive("c") == 1);
      INFO("trigger level " << level << ", characters " << count);
      CHECK(read(iir) == (count >= level ? 0xc4 : 0xcc));
    }
  }
}

TEST_CASE_METHOD(Fixture, "dropping below the trigger level leaves the timeout until the FIFO is empty",
                 "[uart]") {
  write(fcr, 0x41);
  write(ier, erbfi);
  REQUIRE(receive("abcd") == 4);
  CHECK(read(iir) == 0xc4);
  read(rbr);
  CHECK(read(iir) == 0xcc);
  read(rbr);
  read(rbr);
  read(rbr);
  CHECK(read(iir) == 0xc1);
}

TEST_CASE_METHOD(Fixture, "FCR clears the receive FIFO and changing its enable bit does too", "[uart]") {
  write(fcr, 0x01);
  REQUIRE(receive("0123456789abcdefG") == 16);
  write(fcr, 0x03);
  CHECK(read(lsr) == 0x60);
  CHECK(ready.calls == 1);
  REQUIRE(receive("ab") == 2);
  write(fcr, 0x01);  // nothing asked
  CHECK(read(lsr) == 0x61);
  write(fcr, 0x00);
  CHECK(read(lsr) == 0x60);
  CHECK(read(iir) == 0x01);
  write(fcr, 0xc6);  // without bit 0 the others are not programmed
  CHECK(read(iir) == 0x01);
  REQUIRE(receive("x") == 1);
  write(ier, erbfi);
  CHECK(read(iir) == 0x04);
}

TEST_CASE_METHOD(Fixture, "in loopback what is transmitted is received and nothing reaches the host",
                 "[uart]") {
  write(mcr, loop);
  write(thr, 0x42);
  CHECK(sink.text.empty());
  CHECK(observer.seen.empty());
  CHECK(read(lsr) == 0x61);
  CHECK(read(rbr) == 0x42);
}

TEST_CASE_METHOD(Fixture, "in loopback the modem outputs come back as inputs", "[uart]") {
  // DTR -> DSR, RTS -> CTS, OUT1 -> RI, OUT2 -> DCD (8.9)
  const std::pair<std::uint8_t, std::uint8_t> wires[] = {
      {0x01, 0x20}, {0x02, 0x10}, {0x04, 0x40}, {0x08, 0x80}};
  for (const auto& [output, input] : wires) {
    write(mcr, static_cast<std::uint8_t>(loop | output));
    CHECK((read(msr) & 0xf0) == input);
  }
  write(mcr, loop | 0x0a);  // the test by which Linux finds a UART
  CHECK((read(msr) & 0xf0) == 0x90);
}

TEST_CASE_METHOD(Fixture, "MSR's delta bits tell what changed since it was read, RI only its trailing edge",
                 "[uart]") {
  write(mcr, loop);
  read(msr);
  write(mcr, loop | 0x01);
  CHECK(read(msr) == 0x22);
  CHECK(read(msr) == 0x20);
  write(mcr, loop | 0x02);
  CHECK(read(msr) == 0x13);
  write(mcr, loop | 0x04);
  CHECK(read(msr) == 0x41);  // CTS went; RI came, which is no trailing edge
  write(mcr, loop | 0x08);
  CHECK(read(msr) == 0x8c);  // TERI and DDCD
}

TEST_CASE_METHOD(Fixture, "in loopback OUT2's pin is inactive, so the line stays low", "[uart]") {
  write(mcr, loop | out2);
  write(ier, erbfi);
  write(thr, 1);
  CHECK(read(iir) == 0x04);
  CHECK_FALSE(line.level);
}

TEST_CASE_METHOD(Fixture, "in loopback the host's characters wait until it ends", "[uart]") {
  write(mcr, loop);
  CHECK(receive("a") == 0);
  CHECK_FALSE(uart.receive_break());
  CHECK(ready.calls == 0);
  write(mcr, 0);
  CHECK(ready.calls == 1);
  CHECK(receive("a") == 1);
}

TEST_CASE_METHOD(Fixture, "a full FIFO loses the new character and sets OE until LSR is read", "[uart]") {
  write(fcr, 0x01);
  write(mcr, loop);
  write(ier, elsi);
  for (std::uint8_t i = 0; i < 17; ++i) write(thr, i);
  CHECK(read(iir) == 0xc6);
  CHECK(read(lsr) == 0x63);  // OE is of no character: LSR7 stays clear
  CHECK(read(lsr) == 0x61);
  CHECK(read(iir) == 0xc1);
  for (std::uint8_t i = 0; i < 16; ++i) CHECK(read(rbr) == i);
  CHECK(read(lsr) == 0x60);
}

TEST_CASE_METHOD(Fixture, "without FIFOs an overrun destroys the character that waited", "[uart]") {
  write(mcr, loop);
  write(thr, 'a');
  write(thr, 'b');
  CHECK(read(lsr) == 0x63);
  CHECK(read(rbr) == 'b');
  CHECK(read(lsr) == 0x60);
}

TEST_CASE_METHOD(Fixture, "a break shows when its character is at the top of the FIFO", "[uart]") {
  write(fcr, 0x01);
  REQUIRE(receive("a") == 1);
  REQUIRE(uart.receive_break());
  CHECK(read(lsr) == 0xe1);  // LSR7: an error is in the FIFO, BI is not shown yet
  CHECK(read(rbr) == 'a');
  CHECK(read(lsr) == 0xf1);
  CHECK(read(lsr) == 0x61);
  CHECK(read(rbr) == 0);
}

TEST_CASE_METHOD(Fixture, "a break is refused when the FIFO is full", "[uart]") {
  CHECK(receive("a") == 1);
  CHECK_FALSE(uart.receive_break());
}

TEST_CASE_METHOD(Fixture, "while break is set no character comes out", "[uart]") {
  write(lcr, 0x43);
  write(thr, 0);
  CHECK(sink.text.empty());
  write(lcr, 0x03);
  write(thr, 'x');
  CHECK(sink.text == "x");
}

TEST_CASE("the listener may offer more from within its call", "[uart]") {
  RecordingLine line;
  RecordingSink sink;
  Uart16550 uart("uart0", line, sink);
  struct Refill final : ReceiveReady {
    explicit Refill(Uart16550& target) : uart(target) {}
    void receive_ready() noexcept override {
      const std::uint8_t next = 'b';
      taken += uart.receive({&next, 1});
    }
    Uart16550& uart;
    std::size_t taken = 0;
  } refill(uart);
  uart.set_receive_ready(refill);
  const std::uint8_t text[] = {'a', 'b'};
  REQUIRE(uart.receive(text) == 1);
  CHECK(uart.read(0, 1) == 'a');
  CHECK(refill.taken == 1);
  CHECK(uart.read(0, 1) == 'b');
}

TEST_CASE("a UART without listeners works", "[uart]") {
  RecordingLine line;
  RecordingSink sink;
  Uart16550 uart("uart1", line, sink);
  const std::uint8_t text[] = {'a', 'b'};
  CHECK(uart.receive(text) == 1);
  CHECK(uart.read(0, 1) == 'a');
  uart.write(0, 1, 'c');
  CHECK(sink.text == "c");
}

TEST_CASE("no character is lost or swapped between a host that offers and a guest that polls", "[uart]") {
  RecordingLine line;
  NullSink sink;
  Uart16550 uart("uart0", line, sink);
  uart.write(fcr, 1, 0x01);
  constexpr std::size_t total = 20'000;
  std::vector<std::uint8_t> offered(total);
  for (std::size_t i = 0; i < total; ++i) offered[i] = static_cast<std::uint8_t>(i * 7);

  std::thread host([&] {
    std::span<const std::uint8_t> rest(offered);
    while (!rest.empty()) rest = rest.subspan(uart.receive(rest));
  });
  std::vector<std::uint8_t> got;
  while (got.size() < total) {
    if ((uart.read(lsr, 1) & 0x01) != 0) got.push_back(static_cast<std::uint8_t>(uart.read(rbr, 1)));
  }
  host.join();
  CHECK(got == offered);
}

TEST_CASE_METHOD(Fixture, "the bytes that went out and came in are counted", "[uart]") {
  write(thr, 'a');
  write(thr, 'b');
  CHECK(receive("xyz") == 1);  // FIFOs are off
  write(mcr, loop);
  write(thr, 'c');  // does not go out
  CHECK(uart.operations() == std::vector<Operation>{{"bytes", 3}, {"bytes sent", 2}, {"bytes received", 1}});
}
