#include "live/console_pane.hpp"

#include <catch2/catch.hpp>
#include <string_view>

namespace kvmbench::live {
namespace {

using Lines = std::vector<std::string>;

Lines shown_after(std::string_view output) {
  ConsolePane pane;
  for (const char byte : output) pane.put(static_cast<std::uint8_t>(byte));
  return pane.lines();
}

TEST_CASE("a console has its lines, and the one being written") {
  CHECK(shown_after("boot\r\nlogin: ") == Lines{"boot", "login: "});
  CHECK(shown_after("boot\r\n") == Lines{"boot", ""});
}

TEST_CASE("a carriage return begins the line anew") {
  CHECK(shown_after("10 %\r20 %") == Lines{"20 %"});
}

TEST_CASE("escape sequences are left out") {
  CHECK(shown_after("\x1b[1;31mred\x1b[0m\x1b"
                    "c!") == Lines{"red!"});
}

TEST_CASE("of many lines the last are kept") {
  std::string output;
  for (std::size_t i = 0; i < 3 * ConsolePane::most_lines; ++i) output += std::to_string(i) + "\n";
  const Lines lines = shown_after(output);
  REQUIRE(lines.size() == ConsolePane::most_lines);
  CHECK(lines.front() == std::to_string(2 * ConsolePane::most_lines + 1));
  CHECK(lines.back().empty());
}

TEST_CASE("of a long line the beginning is kept") {
  const Lines lines = shown_after(std::string(10'000, 'x') + "\ny");
  CHECK(lines == Lines{std::string(ConsolePane::most_characters, 'x'), "y"});
}

}  // namespace
}  // namespace kvmbench::live
