#include "devices/i8042.hpp"

#include <catch2/catch.hpp>

#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

namespace {

// Status bits: OBF 0x01, IBF 0x02, SYS 0x04, A2 0x08, not inhibited 0x10, AUX data 0x20, time-out 0x40.
struct Fixture {
  std::uint8_t status() { return static_cast<std::uint8_t>(i8042.read(4, 1)); }
  std::uint8_t data() { return static_cast<std::uint8_t>(i8042.read(0, 1)); }
  void command(std::uint8_t value) { i8042.write(4, 1, value); }
  void data(std::uint8_t value) { i8042.write(0, 1, value); }

  RecordingLine irq1;
  RecordingPower power;
  I8042 i8042{irq1, power};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "at first nothing waits, the system flag is set and nothing is inhibited",
                 "[i8042]") {
  CHECK(status() == 0x14);
  CHECK_FALSE(irq1.level);
}

TEST_CASE_METHOD(Fixture, "the self test passes", "[i8042]") {
  command(0xaa);
  CHECK((status() & 0x01) == 0x01);
  CHECK(data() == 0x55);
  CHECK((status() & 0x01) == 0);
}

TEST_CASE_METHOD(Fixture, "the keyboard interface test finds no error", "[i8042]") {
  command(0xab);
  CHECK(data() == 0x00);
}

TEST_CASE_METHOD(Fixture, "the command byte starts with translation on and the auxiliary port off",
                 "[i8042]") {
  command(0x20);
  CHECK(data() == 0x65);
  command(0x60);
  CHECK((status() & 0x08) == 0x08);
  data(0x47);
  CHECK((status() & 0x08) == 0);
  command(0x20);
  CHECK(data() == 0x47);
}

TEST_CASE_METHOD(Fixture, "the controller's RAM keeps 32 bytes", "[i8042]") {
  for (std::uint8_t i = 1; i < 32; ++i) {
    command(static_cast<std::uint8_t>(0x60 + i));
    data(static_cast<std::uint8_t>(0xa0 + i));
  }
  for (std::uint8_t i = 1; i < 32; ++i) {
    command(static_cast<std::uint8_t>(0x20 + i));
    CHECK(data() == 0xa0 + i);
  }
}

TEST_CASE_METHOD(Fixture, "0xa7, 0xa8, 0xad and 0xae switch the ports in the command byte", "[i8042]") {
  const auto command_byte = [&] {
    command(0x20);
    return data();
  };
  command(0xa8);
  CHECK((command_byte() & 0x20) == 0);
  command(0xa7);
  CHECK((command_byte() & 0x20) == 0x20);
  command(0xad);
  CHECK((command_byte() & 0x10) == 0x10);
  command(0xae);
  CHECK((command_byte() & 0x10) == 0);
}

TEST_CASE_METHOD(Fixture, "the system flag of the status follows the command byte", "[i8042]") {
  command(0x60);
  data(0x00);
  CHECK((status() & 0x04) == 0);
  command(0xaa);  // a passed self test sets it
  CHECK((status() & 0x04) == 0x04);
}

TEST_CASE_METHOD(Fixture, "the loop test shows that there is no auxiliary port: no AUX data flag",
                 "[i8042]") {
  command(0xd3);
  CHECK((status() & 0x01) == 0);
  data(0x5a);
  CHECK((status() & 0x21) == 0x01);
  command(0xa9);  // without reading what was looped back, as Linux does
  CHECK(data() == 0x01);
}

TEST_CASE_METHOD(Fixture, "a byte for the keyboard comes back as 0xfe with the time-out bit and IRQ 1",
                 "[i8042]") {
  data(0xf2);
  CHECK((status() & 0x41) == 0x41);
  CHECK(irq1.level);
  CHECK(data() == 0xfe);
  CHECK_FALSE(irq1.level);
  CHECK((status() & 0x41) == 0);
  data(0xed);
  CHECK(irq1.rises == 2);
}

TEST_CASE_METHOD(Fixture, "a byte for the auxiliary device comes back as 0xfe with the time-out bit",
                 "[i8042]") {
  command(0xd4);
  data(0xff);
  CHECK((status() & 0x41) == 0x41);
  CHECK(data() == 0xfe);
}

TEST_CASE_METHOD(Fixture, "IRQ 1 needs the command byte's keyboard interrupt bit", "[i8042]") {
  command(0x60);
  data(0x64);
  data(0xf2);
  CHECK_FALSE(irq1.level);
  command(0x60);
  data(0x65);
  CHECK(irq1.level);
}

TEST_CASE_METHOD(Fixture, "0xd2 puts a byte into the output buffer as if from the keyboard", "[i8042]") {
  command(0xd2);
  data(0x1c);
  CHECK((status() & 0x61) == 0x01);
  CHECK(irq1.level);
  CHECK(data() == 0x1c);
}

TEST_CASE_METHOD(Fixture, "pulsing bit 0 of the output port resets, pulsing others does not", "[i8042]") {
  for (unsigned value = 0xf0; value <= 0xff; ++value) {
    const std::size_t before = power.resets.size();
    command(static_cast<std::uint8_t>(value));
    CHECK(power.resets.size() - before == (value % 2 == 0 ? 1 : 0));
  }
  CHECK(power.resets.front() == "i8042 reset line");
}

TEST_CASE_METHOD(Fixture, "the output port has A20 in bit 1 and resets where bit 0 is written low",
                 "[i8042]") {
  command(0xd0);
  CHECK(data() == 0x03);
  command(0xd1);
  data(0x01);
  command(0xd0);
  CHECK(data() == 0x01);
  CHECK(power.resets.empty());
  command(0xd1);
  data(0xdf);
  command(0xd0);
  CHECK(data() == 0x03);
  command(0xd1);
  data(0xfe);
  CHECK(power.resets.size() == 1);
}

TEST_CASE_METHOD(Fixture, "0xdd and 0xdf switch A20", "[i8042]") {
  command(0xdd);
  command(0xd0);
  CHECK((data() & 0x02) == 0);
  command(0xdf);
  command(0xd0);
  CHECK((data() & 0x02) == 0x02);
}

TEST_CASE_METHOD(Fixture, "the input port says that the keyboard is not inhibited, the test inputs are low",
                 "[i8042]") {
  command(0xc0);
  CHECK(data() == 0x80);
  command(0xe0);
  CHECK(data() == 0x00);
}

TEST_CASE_METHOD(Fixture, "a new command drops the parameter that the last one waited for", "[i8042]") {
  command(0xd1);
  command(0xae);
  data(0x00);  // for the keyboard, not the output port
  CHECK(power.resets.empty());
  CHECK(data() == 0xfe);
}

TEST_CASE_METHOD(Fixture, "an unknown command is not answered", "[i8042]") {
  for (const std::uint8_t value :
       std::initializer_list<std::uint8_t>{0x00, 0x40, 0x80, 0xa0, 0xbf, 0xc5, 0xde, 0xe1}) {
    command(value);
    CHECK((status() & 0x01) == 0);
  }
}

TEST_CASE_METHOD(Fixture,
                 "Linux's probe finds a controller, no auxiliary port and no keyboard, without a wait",
                 "[i8042]") {
  const auto answer = [&] {
    CHECK((status() & 0x03) == 0x01);  // at the first look
    return data();
  };
  CHECK((status() & 0x01) == 0);  // flush
  command(0xaa);
  CHECK(answer() == 0x55);
  command(0x20);
  const std::uint8_t first = answer();
  command(0x20);
  CHECK(answer() == first);
  CHECK((status() & 0x10) == 0x10);  // no key lock
  CHECK((first & 0x40) == 0x40);     // translated: the port is not probed for a mouse
  command(0x60);
  data(0x74);
  command(0xd3);
  data(0x5a);
  CHECK((status() & 0x21) == 0x01);
  command(0xa9);
  CHECK(answer() == 0x01);
  command(0x60);
  data(0x65);
  for (const std::uint8_t byte : std::initializer_list<std::uint8_t>{0xf2, 0xf2, 0xed, 0xed}) {
    const unsigned before = irq1.rises;
    data(byte);
    CHECK(irq1.rises == before + 1);
    CHECK(answer() == 0xfe);
  }
}

TEST_CASE_METHOD(Fixture, "ports 0x61 to 0x63 and past 0x64 are not the controller's", "[i8042]") {
  CHECK(reads_ones_past(i8042, I8042::command_port + 1));
  write_past(i8042, I8042::command_port + 1, 0xfefefefe);
  for (unsigned offset = 1; offset < 4; ++offset) {
    CHECK(i8042.read(offset, 1) == 0xff);
    i8042.write(offset, 1, 0xfe);
  }
  CHECK(power.resets.empty());
  CHECK(status() == 0x14);
}

TEST_CASE_METHOD(Fixture, "a wide access is one byte access a port", "[i8042]") {
  command(0xaa);
  CHECK(i8042.read(0, 2) == 0xff55);
  CHECK(i8042.read(2, 4) == 0xff1cffff);  // the last write was a command
  CHECK(i8042.read(4, 4) == 0xffffff1c);
  i8042.write(2, 4, 0x00aa0000);
  CHECK(data() == 0x55);
}

TEST_CASE_METHOD(Fixture, "the ports have their names", "[i8042]") {
  CHECK(i8042.name() == "i8042");
  CHECK(i8042.register_name(0, Direction::read) == "DATA");
  CHECK(i8042.register_name(0, Direction::write) == "DATA");
  CHECK(i8042.register_name(4, Direction::read) == "STATUS");
  CHECK(i8042.register_name(4, Direction::write) == "COMMAND");
  CHECK(i8042.register_name(1, Direction::write) == "+0x1");
}
