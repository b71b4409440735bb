#include "guests/linux/options.hpp"

#include <catch2/catch.hpp>

namespace kvmbench::guest {
namespace {

using Command = Options::Command;
using Words = std::vector<std::string>;

Options parsed(const Words& arguments) {
  std::string error;
  const auto options = parse_options(arguments, error);
  INFO(error);
  REQUIRE(options.has_value());
  return *options;
}

std::string refusal(const Words& arguments) {
  std::string error;
  REQUIRE_FALSE(parse_options(arguments, error).has_value());
  return error;
}

TEST_CASE("kvmbench-guest: each command is known, with --json before or behind it") {
  CHECK(parsed({"total"}).command == Command::total);
  CHECK(parsed({"reasons"}).command == Command::reasons);
  CHECK_FALSE(parsed({"reasons"}).json);
  CHECK(parsed({"--json", "total"}).json);
  CHECK(parsed({"total", "--json"}).json);
  CHECK(parsed({"watch", "-n", "3", "--json"}).json);
  CHECK(parsed({"--help"}).command == Command::help);
}

TEST_CASE("kvmbench-guest: watch takes an interval and a number") {
  const Options given = parsed({"watch", "-i", "0.5", "-n", "3"});
  CHECK(given.interval == 0.5);
  CHECK(given.samples == 3);
  CHECK(parsed({"watch"}).interval == 1);
  CHECK(parsed({"watch"}).samples == 0);
}

TEST_CASE("kvmbench-guest: everything behind run is the command") {
  const Options given = parsed({"--json", "run", "ls", "--json", "-n"});
  CHECK(given.json);
  CHECK(given.words == Words{"ls", "--json", "-n"});
  CHECK_FALSE(parsed({"run", "ls", "--json"}).json);
}

TEST_CASE("kvmbench-guest: a phase's name is 1 to 63 printable characters") {
  CHECK(parsed({"phase", "load the database"}).words == Words{"load the database"});
  CHECK(parsed({"phase", std::string(63, 'x')}).words[0].size() == 63);
  for (const std::string& name :
       {std::string(), std::string(64, 'x'), std::string("a\tb"), std::string("\xc3\xa4")}) {
    CHECK(refusal({"phase", name}) == "a phase's name is 1 to 63 printable ASCII characters");
  }
}

TEST_CASE("kvmbench-guest: what makes no sense is named") {
  CHECK(refusal({}) == "a command is missing");
  CHECK(refusal({"--json"}) == "a command is missing");
  CHECK(refusal({"totals"}) == "no such command: totals");
  CHECK(refusal({"total", "x"}) == "one argument too many: x");
  CHECK(refusal({"phase"}) == "phase needs a name");
  CHECK(refusal({"phase", "a", "b"}) == "one argument too many: b");
  CHECK(refusal({"run"}) == "run needs a command");
  CHECK(refusal({"watch", "-x"}) == "watch has no option -x");
  CHECK(refusal({"watch", "-i"}) == "-i needs a value");
  for (const char* const value : {"", "x", "0", "-1", "1x", "nan", "inf", "86401"}) {
    CHECK(refusal({"watch", "-i", value}) ==
          "-i " + std::string(value) + ": an interval is 0.01 to 86400 seconds");
  }
  for (const char* const value : {"", "0", "-1", "1.5", "1000000000"}) {
    CHECK(refusal({"watch", "-n", value}) ==
          "-n " + std::string(value) + ": the number of intervals is 1 to 999999999");
  }
}

}  // namespace
}  // namespace kvmbench::guest
