#include "devices/io_apic.hpp"

#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

namespace {

struct RecordingMessages final : MessageSink {
  struct Message {
    std::uint64_t address;
    std::uint32_t data;
    friend bool operator==(const Message&, const Message&) = default;
  };
  struct Route {
    unsigned pin;
    Message message;
    bool masked;
    friend bool operator==(const Route&, const Route&) = default;
  };
  void send(std::uint64_t address, std::uint32_t data) noexcept override { sent.push_back({address, data}); }
  void route(unsigned pin, std::uint64_t address, std::uint32_t data, bool masked) noexcept override {
    routes.push_back({pin, {address, data}, masked});
  }
  std::vector<Message> sent;
  std::vector<Route> routes;
};

constexpr unsigned ioregsel = 0x00, iowin = 0x10;
constexpr std::uint32_t masked = 0x10000, level = 0x8000, remote_irr = 0x4000, logical = 0x800;

struct Fixture {
  std::uint32_t read(std::uint8_t index) {
    apic.write(ioregsel, 4, index);
    return static_cast<std::uint32_t>(apic.read(iowin, 4));
  }
  void write(std::uint8_t index, std::uint32_t value) {
    apic.write(ioregsel, 4, index);
    apic.write(iowin, 4, value);
  }
  std::uint32_t entry(unsigned pin) { return read(static_cast<std::uint8_t>(0x10 + 2 * pin)); }
  void set_entry(unsigned pin, std::uint32_t low, std::uint8_t destination = 0) {
    write(static_cast<std::uint8_t>(0x11 + 2 * pin), std::uint32_t{destination} << 24);
    write(static_cast<std::uint8_t>(0x10 + 2 * pin), low);
  }

  RecordingMessages messages;
  IoApic apic{messages};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "it is version 0x11 with 24 entries, all masked", "[ioapic]") {
  CHECK(read(0x01) == 0x00170011);
  for (unsigned pin = 0; pin < 24; ++pin) {
    CHECK(read(static_cast<std::uint8_t>(0x10 + 2 * pin)) == masked);
    CHECK(read(static_cast<std::uint8_t>(0x11 + 2 * pin)) == 0);
  }
  CHECK(messages.routes.empty());
}

TEST_CASE_METHOD(Fixture, "the ID has four bits and loads the arbitration ID", "[ioapic]") {
  CHECK(read(0x00) == 0);
  write(0x00, 0xffffffff);
  CHECK(read(0x00) == 0x0f000000);
  CHECK(read(0x02) == 0x0f000000);
  write(0x02, 0);
  CHECK(read(0x02) == 0x0f000000);
  write(0x01, 0);
  CHECK(read(0x01) == 0x00170011);
}

TEST_CASE_METHOD(Fixture, "registers that do not exist read as 0 and cannot be written", "[ioapic]") {
  for (const std::uint8_t index : std::initializer_list<std::uint8_t>{0x03, 0x0f, 0x40, 0xff}) {
    write(index, 0xffffffff);
    CHECK(read(index) == 0);
  }
  CHECK(messages.routes.empty());
}

TEST_CASE_METHOD(Fixture, "an entry's delivery status, remote IRR and reserved bits cannot be written",
                 "[ioapic]") {
  set_entry(5, 0xffffffff, 0xff);
  CHECK(entry(5) == 0x0001afff);
  write(0x1b, 0xffffffff);
  CHECK(read(0x1b) == 0xff000000);
}

TEST_CASE_METHOD(Fixture, "an edge sends one message of the entry's vector, mode and destination",
                 "[ioapic]") {
  set_entry(4, 0x0031, 2);
  apic.pin(4).set(true);
  apic.pin(4).set(true);  // no change
  CHECK(messages.sent == std::vector<RecordingMessages::Message>{{0xfee02000, 0x0031}});
  apic.pin(4).set(false);
  CHECK(messages.sent.size() == 1);
  set_entry(4, logical | 0x0100 | 0x32, 0x0f);  // lowest priority
  apic.pin(4).set(true);
  CHECK(messages.sent.back() == RecordingMessages::Message{0xfee0f004, 0x0132});
  apic.end_of_interrupt(0x32);
  CHECK(messages.sent.size() == 2);
}

TEST_CASE_METHOD(Fixture, "an edge on a masked pin is lost", "[ioapic]") {
  set_entry(4, masked | 0x31);
  apic.pin(4).set(true);
  set_entry(4, 0x31);
  CHECK(messages.sent.empty());
  apic.pin(4).set(false);
  apic.pin(4).set(true);
  CHECK(messages.sent.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a level is sent once until its EOI, and again while it stays asserted",
                 "[ioapic]") {
  set_entry(9, level | 0x41);
  apic.pin(9).set(true);
  CHECK(messages.sent == std::vector<RecordingMessages::Message>{{0xfee00000, 0xc041}});
  CHECK(entry(9) == (level | remote_irr | 0x41));
  apic.pin(9).set(false);
  apic.pin(9).set(true);
  CHECK(messages.sent.size() == 1);
  apic.end_of_interrupt(0x40);  // another vector
  CHECK(messages.sent.size() == 1);
  apic.end_of_interrupt(0x41);
  CHECK(messages.sent.size() == 2);
  apic.pin(9).set(false);
  apic.end_of_interrupt(0x41);
  CHECK(messages.sent.size() == 2);
  CHECK(entry(9) == (level | 0x41));
}

TEST_CASE_METHOD(Fixture, "a level on a masked pin waits until it is unmasked", "[ioapic]") {
  set_entry(9, masked | level | 0x41);
  apic.pin(9).set(true);
  CHECK(messages.sent.empty());
  set_entry(9, level | 0x41);
  CHECK(messages.sent.size() == 1);
}

TEST_CASE_METHOD(Fixture, "an EOI while the pin is masked clears remote IRR and sends nothing", "[ioapic]") {
  set_entry(9, level | 0x41);
  apic.pin(9).set(true);
  set_entry(9, masked | level | 0x41);
  CHECK(entry(9) == (masked | level | remote_irr | 0x41));
  apic.end_of_interrupt(0x41);
  CHECK(entry(9) == (masked | level | 0x41));
  CHECK(messages.sent.size() == 1);
}

TEST_CASE_METHOD(Fixture, "turning a pin to edge clears its remote IRR", "[ioapic]") {
  set_entry(9, level | 0x41);
  apic.pin(9).set(true);
  apic.pin(9).set(false);
  write(0x22, masked | 0x41);
  CHECK(entry(9) == (masked | 0x41));
  write(0x22, level | 0x41);
  CHECK(entry(9) == (level | 0x41));
}

TEST_CASE_METHOD(Fixture, "an EOI clears every entry of its vector", "[ioapic]") {
  set_entry(9, level | 0x41);
  set_entry(10, level | 0x41);
  apic.pin(9).set(true);
  apic.pin(10).set(true);
  CHECK(messages.sent.size() == 2);
  apic.pin(9).set(false);
  apic.end_of_interrupt(0x41);
  CHECK(messages.sent.size() == 3);
  CHECK((entry(9) & remote_irr) == 0);
  CHECK((entry(10) & remote_irr) == remote_irr);
}

TEST_CASE_METHOD(Fixture, "modes other than fixed and lowest priority are edges", "[ioapic]") {
  set_entry(2, level | 0x0400);  // NMI
  apic.pin(2).set(true);
  CHECK(messages.sent == std::vector<RecordingMessages::Message>{{0xfee00000, 0x0400}});
  CHECK((entry(2) & remote_irr) == 0);
  apic.pin(2).set(false);
  CHECK(messages.sent.size() == 1);
}

TEST_CASE_METHOD(Fixture, "the route of a pin is told when its message or mask changes", "[ioapic]") {
  write(0x19, 0x03000000);  // destination of pin 4
  CHECK(messages.routes == std::vector<RecordingMessages::Route>{{4, {0xfee03000, 0}, true}});
  write(0x18, level | 0x31);
  CHECK(messages.routes.back() == RecordingMessages::Route{4, {0xfee03000, 0xc031}, false});
  CHECK(messages.routes.size() == 2);
  write(0x18, level | 0x31);
  CHECK(messages.routes.size() == 2);
  write(0x18, level | 0x2000 | 0x31);  // polarity means nothing
  CHECK(messages.routes.size() == 2);
  write(0x18, masked | level | 0x31);
  CHECK(messages.routes.back() == RecordingMessages::Route{4, {0xfee03000, 0xc031}, true});
}

TEST_CASE_METHOD(Fixture, "each pin has its own line, and there are 24", "[ioapic]") {
  for (unsigned pin = 0; pin < 24; ++pin) set_entry(pin, 0x30 + pin);
  for (unsigned pin = 0; pin < 24; ++pin) {
    apic.pin(pin).set(true);
    CHECK(messages.sent.back().data == 0x30 + pin);
  }
  CHECK_THROWS_AS(apic.pin(24), std::out_of_range);
}

TEST_CASE_METHOD(Fixture, "IOREGSEL reads back its byte; narrow and wide accesses reach the bytes they cover",
                 "[ioapic]") {
  apic.write(ioregsel, 4, 0xabcdef12);
  CHECK(apic.read(ioregsel, 4) == 0x12);
  apic.write(ioregsel + 1, 1, 0x55);
  CHECK(apic.read(ioregsel, 4) == 0x12);
  apic.write(ioregsel, 1, 0x18);
  apic.write(iowin, 4, masked | 0x31);
  apic.write(iowin, 1, 0x42);
  CHECK(apic.read(iowin, 4) == (masked | 0x42));
  apic.write(iowin + 2, 2, 0);
  CHECK(apic.read(iowin, 4) == 0x42);
  CHECK(apic.read(iowin + 1, 2) == 0);
  CHECK(apic.read(iowin, 8) == 0xffffffff00000042);
  CHECK(apic.read(ioregsel, 8) == 0xffffffff00000018);
  CHECK(apic.read(iowin - 2, 4) == 0x0042ffff);
  apic.write(iowin, 8, ~std::uint64_t{0});
  CHECK(apic.read(iowin, 4) == 0x0001afff);
}

TEST_CASE_METHOD(Fixture, "between and past its registers it reads as ones and drops writes", "[ioapic]") {
  apic.write(ioregsel, 4, 0x18);
  for (const std::uint64_t offset : {0x04u, 0x0cu, 0x14u, 0x20u, 0x40u, 0xff8u}) {
    for (unsigned width = 1; width <= 4; ++width) {
      CHECK(apic.read(offset, width) == all_ones(width));
      apic.write(offset, width, 0);
    }
  }
  CHECK(reads_ones_past(apic, IoApic::size));
  write_past(apic, IoApic::size, 0);
  CHECK(apic.read(ioregsel, 4) == 0x18);
  CHECK(apic.read(iowin, 4) == masked);
  CHECK(messages.routes.empty());
}

TEST_CASE_METHOD(Fixture, "its registers have the data sheet's names", "[ioapic]") {
  CHECK(apic.name() == "ioapic");
  CHECK(apic.register_name(0x00, Direction::write) == "IOREGSEL");
  CHECK(apic.register_name(0x10, Direction::read) == "IOWIN");
  CHECK(apic.register_name(0x13, Direction::read) == "IOWIN");
  CHECK(apic.register_name(0x40, Direction::write) == "+0x40");
}
