#include "live/view.hpp"

#include <linux/kvm.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "live/run_moment.hpp"
#include "report/printable.hpp"
#include "sample.hpp"

namespace kvmbench::live {
namespace {

using namespace report::testing;

constexpr View::Size wide{100, 30};

report::KeyName name_of(const stats::ExitKey& key) {
  return key.address == 0x3f8 ? report::KeyName{"uart0", "THR"} : report::KeyName{};
}

/// In the last 2 s: 1,000 port writes of 2 µs, 10 MMIO reads of 600 µs; before them 5,000 port writes.
Sample sample() {
  const stats::ExitKey uart = port(0x3f8, Direction::write, 1);
  const stats::ExitKey register_read{
      .address = 0xfeb0'0000, .reason = KVM_EXIT_MMIO, .width = 4, .direction = Direction::read};
  Sample sample;
  sample.total = report_of({exits(uart, 6'000, 2'000, 10), exits(register_read, 10, 600'000, 10)}).snapshot;
  sample.recent = report_of({exits(uart, 1'000, 2'000, 10), exits(register_read, 10, 600'000, 10)}).snapshot;
  sample.recent_seconds = 2;
  sample.run_seconds = 12;
  sample.title = "@mix";
  return sample;
}

void show(View& view, Sample shown) {
  view.show(std::make_shared<RunMoment>(std::move(shown), name_of));
}

View view_of(Sample shown, std::initializer_list<Key> keys = {}) {
  View view;
  show(view, std::move(shown));
  for (const Key key : keys) view.press(key);
  return view;
}

std::string screen(const View& view, View::Size size = wide, const std::vector<std::string>& console = {}) {
  std::string text;
  for (const std::string& line : view.render(size, false, console)) text += line + '\n';
  return text;
}

/// The line that begins with this, the selection's mark apart.
std::string line_of(const std::string& screen, const std::string& start) {
  for (const char* mark : {"\n> ", "\n  "}) {
    const std::size_t at = screen.find(mark + start);
    if (at != std::string::npos) return screen.substr(at + 3, screen.find('\n', at + 1) - at - 3);
  }
  return "";
}

TEST_CASE("a row has the rate of late, the total, its share of service time and the 99th percentile") {
  const std::string text = screen(view_of(sample()));
  CHECK(line_of(text, "io ") == "io          500  6,000    25.0  2.00 µs");
  CHECK(line_of(text, "mmio") == "mmio        5.0     10    75.0   600 µs");
}

TEST_CASE("the first line says what runs, since when, and how many exits there were") {
  CHECK(screen(view_of(sample())).starts_with("@mix  12.0 s  6,010 exits, 505/s\n"));
}

TEST_CASE("rows are sorted by share of time, p99, rate or total in turn") {
  const auto io_first = [](const View& view) {
    const std::string text = screen(view);
    return text.find(" io ") < text.find(" mmio ");
  };
  CHECK_FALSE(io_first(view_of(sample())));
  CHECK_FALSE(io_first(view_of(sample(), {Key::sort})));
  CHECK(io_first(view_of(sample(), {Key::sort, Key::sort})));
  CHECK(io_first(view_of(sample(), {Key::sort, Key::sort, Key::sort})));
  CHECK_FALSE(io_first(view_of(sample(), {Key::sort, Key::sort, Key::sort, Key::sort})));
}

TEST_CASE("keys are named by device and register, or by their place") {
  const std::string text = screen(view_of(sample(), {Key::by_key}));
  CHECK(line_of(text, "uart0 THR out1").find("6,000") != std::string::npos);
  CHECK(line_of(text, "gpa 0xfeb00000 read4").find("10") != std::string::npos);
}

TEST_CASE("vCPUs are rows of their own") {
  CHECK(line_of(screen(view_of(sample(), {Key::by_vcpu})), "vcpu 0").find("6,010") != std::string::npos);
}

TEST_CASE("enter goes into the selected reason, escape comes back") {
  View view = view_of(sample(), {Key::down, Key::enter});
  std::string text = screen(view);
  CHECK(text.find("io by key") != std::string::npos);
  CHECK(text.find("uart0 THR") != std::string::npos);
  CHECK(text.find("0xfeb00000") == std::string::npos);
  view.press(Key::back);
  CHECK(screen(view).find("io by key") == std::string::npos);
}

TEST_CASE("the selection stays in the table") {
  CHECK(screen(view_of(sample(), {Key::up})).find("\n> mmio") != std::string::npos);
  CHECK(screen(view_of(sample(), {Key::down, Key::down, Key::down})).find("\n> io") != std::string::npos);
}

TEST_CASE("a paused view shows what it showed") {
  View view = view_of(sample(), {Key::pause});
  Sample later = sample();
  later.run_seconds = 99;
  show(view, later);
  CHECK(screen(view).starts_with("@mix  12.0 s  6,010 exits, 505/s  PAUSED\n"));
  view.press(Key::pause);
  show(view, later);
  CHECK(screen(view).starts_with("@mix  99.0 s"));
}

TEST_CASE("the screen has exactly its lines, none too long") {
  const std::vector<std::string> console(50, std::string(300, 'x'));
  for (const View::Size size : {View::Size{40, 8}, View::Size{80, 24}, View::Size{200, 60}}) {
    const std::vector<std::string> lines = view_of(sample()).render(size, false, console);
    CHECK(lines.size() == size.rows);
    CHECK(std::all_of(lines.begin(), lines.end(),
                      [&](const std::string& line) { return report::display_width(line) <= size.columns; }));
  }
}

TEST_CASE("on 40 columns the last line has all keys") {
  for (const View& view : {view_of(sample()), view_of(sample(), {Key::sort, Key::sort, Key::pause})}) {
    const std::string keys = view.render({40, 8}, false, {}).back();
    CHECK(keys.starts_with("1 2 3 s: "));
    CHECK(keys.ends_with("q quit"));
  }
}

TEST_CASE("the console's last lines are below the table where there is room") {
  const std::vector<std::string> console{"one", "two", "\x1b[2Jthree"};
  CHECK(screen(view_of(sample()), wide, console).find("\none\ntwo\n\\x1b[2Jthree\n") != std::string::npos);
  CHECK(screen(view_of(sample()), {80, 8}, console).find("three") == std::string::npos);
}

TEST_CASE("before the first exit there is a table without rows") {
  const std::string text = screen(view_of({}));
  CHECK(text.find("0 exits, 0/s") != std::string::npos);
}

TEST_CASE("without a terminal a line has the rates, most first") {
  CHECK(view_of(sample()).line() == "@mix  12.0 s  6,010 exits, 505/s; io 500/s; mmio 5.0/s");
}

TEST_CASE("keys are those of a terminal") {
  CHECK(key_of("\x1b[A") == Key::up);
  CHECK(key_of("\x1bOB") == Key::down);
  CHECK(key_of("\r") == Key::enter);
  CHECK(key_of("\x1b") == Key::back);
  CHECK(key_of("q") == Key::quit);
  CHECK(key_of("\x03") == Key::quit);
  CHECK(key_of("\x1b[Z") == Key::none);
}

}  // namespace
}  // namespace kvmbench::live
