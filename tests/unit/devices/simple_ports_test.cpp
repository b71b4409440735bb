// Devices of one or a few byte-wide ports.
#include <catch2/catch.hpp>

#include "devices/debug_console.hpp"
#include "devices/debug_exit.hpp"
#include "devices/post_port.hpp"
#include "devices/reset_control.hpp"
#include "devices/system_control_port_a.hpp"
#include "fakes.hpp"

using namespace kvmbench;
using namespace kvmbench::test;

TEST_CASE("the debug console gives bytes to the host and reads as 0xe9", "[debug-console]") {
  RecordingSink sink;
  DebugConsole console("debugcon", sink);
  console.write(0, 1, 'h');
  console.write(0, 1, 0x1'69);
  CHECK(sink.text == "hi");
  CHECK(console.read(0, 1) == 0xe9);
  CHECK(console.read(0, 2) == 0xffe9);
  CHECK(console.read(0, 4) == 0xffffffe9);
  CHECK(console.name() == "debugcon");
  CHECK(console.register_name(0, Direction::write) == "DATA");
  CHECK(console.register_name(1, Direction::write) == "+0x1");
}

TEST_CASE("of a wide write the debug console has only the byte at its port", "[debug-console]") {
  RecordingSink sink;
  DebugConsole console("debugcon", sink);
  console.write(0, 4, 0x44434241);
  CHECK(sink.text == "A");
  write_past(console, DebugConsole::size, 0x41);
  CHECK(sink.text == "A");
  CHECK(reads_ones_past(console, DebugConsole::size));
}

namespace {

struct RecordingMarks final : PhaseMarks {
  void post_code(std::uint8_t code) noexcept override { codes.push_back(code); }
  std::vector<std::uint8_t> codes;
};

}  // namespace

TEST_CASE("each POST code is a phase mark, and the last one reads back", "[post]") {
  RecordingMarks marks;
  PostPort post(marks);
  CHECK(post.read(0, 1) == 0);
  post.write(0, 1, 0x12);
  post.write(0, 1, 0x12);
  post.write(0, 2, 0xabcd);  // 0xab is for port 0x81
  CHECK(marks.codes == std::vector<std::uint8_t>{0x12, 0x12, 0xcd});
  CHECK(post.read(0, 1) == 0xcd);
  CHECK(post.read(0, 4) == 0xffffffcd);
  write_past(post, PostPort::size, 0x55);
  CHECK(marks.codes.size() == 3);
  CHECK(reads_ones_past(post, PostPort::size));
  CHECK(post.name() == "post");
  CHECK(post.register_name(0, Direction::write) == "POST");
  CHECK(post.register_name(2, Direction::read) == "+0x2");
}

TEST_CASE("debug-exit ends the machine with the value, of the width it is written with", "[debug-exit]") {
  RecordingPower power;
  DebugExit debug_exit(power);
  debug_exit.write(0, 1, 0xffffff31);
  debug_exit.write(0, 2, 0x12345678);
  debug_exit.write(0, 4, 0x12345678);
  debug_exit.write(0, 8, 0x1122334455667788);
  debug_exit.write(2, 4, 0x12345678);
  debug_exit.write(3, 1, 0x09);
  CHECK(power.debug_exits == std::vector<std::uint32_t>{0x31, 0x5678, 0x12345678, 0x55667788, 0x5678, 0x09});
  CHECK(debug_exit.name() == "debug-exit");
  CHECK(debug_exit.register_name(3, Direction::write) == "EXIT");
  CHECK(debug_exit.register_name(4, Direction::write) == "+0x4");
}

TEST_CASE("debug-exit reads as 0 and ignores writes past its four ports", "[debug-exit]") {
  RecordingPower power;
  DebugExit debug_exit(power);
  CHECK(debug_exit.read(0, 1) == 0);
  CHECK(debug_exit.read(0, 4) == 0);
  CHECK(debug_exit.read(2, 4) == 0xffff0000);
  CHECK(reads_ones_past(debug_exit, DebugExit::size));
  write_past(debug_exit, DebugExit::size, 1);
  CHECK(power.debug_exits.empty());
}

TEST_CASE("0xcf9 resets when RST_CPU goes from 0 to 1", "[reset-control]") {
  RecordingPower power;
  ResetControl reset(power);
  CHECK(reset.read(0, 1) == 0);
  reset.write(0, 1, 0x02);  // SYS_RST alone chooses a hard reset, and does none
  CHECK(power.resets.empty());
  CHECK(reset.read(0, 1) == 0x02);
  reset.write(0, 1, 0x06);
  CHECK(power.resets == std::vector<std::string_view>{"reset control register 0xcf9"});
  reset.write(0, 1, 0x06);  // still 1
  CHECK(power.resets.size() == 1);
  reset.write(0, 1, 0x00);
  reset.write(0, 1, 0x04);
  CHECK(power.resets.size() == 2);
}

TEST_CASE("Linux's two writes to 0xcf9 reset for either of its codes", "[reset-control]") {
  for (const std::uint8_t code : std::initializer_list<std::uint8_t>{0x06, 0x0e}) {
    RecordingPower power;
    ResetControl reset(power);
    const auto kept = static_cast<std::uint8_t>(reset.read(0, 1) & ~std::uint64_t{code});
    reset.write(0, 1, kept | 0x02u);
    CHECK(power.resets.empty());
    reset.write(0, 1, std::uint64_t{kept} | code);
    CHECK(power.resets.size() == 1);
  }
}

TEST_CASE("0xcf9 keeps only its three bits and ignores what is not at its port", "[reset-control]") {
  RecordingPower power;
  ResetControl reset(power);
  reset.write(0, 4, 0xfffffff9);
  CHECK(reset.read(0, 1) == 0x08);
  CHECK(reset.read(0, 4) == 0xffffff08);
  write_past(reset, ResetControl::size, 0x04040404);
  CHECK(power.resets.empty());
  CHECK(reads_ones_past(reset, ResetControl::size));
  CHECK(reset.name() == "reset-control");
  CHECK(reset.register_name(0, Direction::write) == "RST_CNT");
  CHECK(reset.register_name(1, Direction::write) == "+0x1");
}

TEST_CASE("port 0x92 starts with A20 on, keeps its A20 bit and resets when bit 0 goes from 0 to 1",
          "[port92]") {
  RecordingPower power;
  SystemControlPortA port(power);
  CHECK(port.read(0, 1) == 0x02);
  port.write(0, 1, 0x00);
  CHECK(port.read(0, 1) == 0x00);
  port.write(0, 1, 0xfe);
  CHECK(port.read(0, 1) == 0x02);
  CHECK(power.resets.empty());
  port.write(0, 1, 0x03);
  CHECK(power.resets == std::vector<std::string_view>{"port 0x92 fast reset"});
  port.write(0, 1, 0x03);
  CHECK(power.resets.size() == 1);
  port.write(0, 1, 0x02);
  port.write(0, 1, 0x03);
  CHECK(power.resets.size() == 2);
}

TEST_CASE("port 0x92 is one byte wide", "[port92]") {
  RecordingPower power;
  SystemControlPortA port(power);
  CHECK(port.read(0, 2) == 0xff02);
  port.write(0, 2, 0x0100);
  CHECK(power.resets.empty());
  write_past(port, SystemControlPortA::size, 0x01010101);
  CHECK(power.resets.empty());
  CHECK(reads_ones_past(port, SystemControlPortA::size));
  CHECK(port.name() == "port92");
  CHECK(port.register_name(0, Direction::read) == "PORT92");
  CHECK(port.register_name(1, Direction::read) == "+0x1");
}
