#include "experiments/guest_results.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

using namespace kvmbench::experiments;

TEST_CASE("a result line is an arm and its numbers, among whatever else a guest prints") {
  const GuestResults results = parse_guest_results(
      "hello\r\nresult arm=cpuid rounds=1000 cycles=18446744073709551615\r\n\r\nresult arm=rd-msr_2\n");
  REQUIRE(results.results.size() == 2);
  CHECK(results.number("cpuid", "rounds") == 1000);
  CHECK(results.number("cpuid", "cycles") == 18446744073709551615u);
  CHECK_FALSE(results.number("cpuid", "mean"));
  CHECK_FALSE(results.number("none", "rounds"));
  REQUIRE(results.find("rd-msr_2") != nullptr);
  CHECK(results.find("rd-msr_2")->numbers.empty());
  CHECK(results.malformed == 0);
}

TEST_CASE("what a host cannot do is told to the end of the line") {
  const GuestResults results = parse_guest_results("unavailable arm=tsx why=this CPU has no RTM, at all\r\n");
  REQUIRE(results.unavailable.count("tsx") == 1);
  CHECK(results.unavailable.at("tsx") == "this CPU has no RTM, at all");
  CHECK(results.malformed == 0);
}

TEST_CASE("a reason is made fit for a terminal") {
  const GuestResults results = parse_guest_results("unavailable arm=a why=\x1b[2Jgone\n");
  CHECK(results.unavailable.at("a") == "\\x1b[2Jgone");
}

TEST_CASE("a line that begins as a result and is none is counted and adds nothing") {
  for (const char* line : {"result ",
                           "result cpuid",
                           "result arm=",
                           "result arm=CPUID",
                           "result rounds=1 arm=a",
                           "result arm=a rounds",
                           "result arm=a rounds=",
                           "result arm=a =1",
                           "result arm=a rounds=-1",
                           "result arm=a rounds=1.5",
                           "result arm=a rounds=0x10",
                           "result arm=a rounds=18446744073709551616",
                           "result arm=a  rounds=1",
                           "result arm=a rounds=1 rounds=2",
                           "result arm=a arm=1",
                           "result arm=a b c",
                           "result arm=\xff",
                           "unavailable ",
                           "unavailable arm=a",
                           "unavailable arm=a why=",
                           "unavailable why=x arm=a"}) {
    const GuestResults results = parse_guest_results(line);
    INFO(line);
    CHECK(results.results.empty());
    CHECK(results.unavailable.empty());
    CHECK(results.malformed == 1);
  }
}

TEST_CASE("an arm has one line: a second one is none") {
  const GuestResults results = parse_guest_results("result arm=a n=1\nresult arm=a n=2\n");
  CHECK(results.number("a", "n") == 1);
  CHECK(results.malformed == 1);
}

TEST_CASE("a guest that prints without end is bounded in names, numbers and lines") {
  const std::string name(GuestResults::longest_name, 'a');
  CHECK(parse_guest_results("result arm=" + name + " n=1").malformed == 0);
  CHECK(parse_guest_results("result arm=" + name + "a n=1").malformed == 1);
  CHECK(parse_guest_results("unavailable arm=a why=" + std::string(GuestResults::longest_why + 1, 'x'))
            .malformed == 1);

  std::string line = "result arm=a";
  for (std::size_t i = 0; i < GuestResults::most_numbers; ++i) line += fmt::format(" n{}={}", i, i);
  CHECK(parse_guest_results(line).malformed == 0);
  CHECK(parse_guest_results(line + " more=1").malformed == 1);

  std::string lines;
  for (std::size_t i = 0; i <= GuestResults::most_results; ++i) lines += fmt::format("result arm=a{}\n", i);
  const GuestResults results = parse_guest_results(lines);
  CHECK(results.results.size() == GuestResults::most_results);
  CHECK(results.malformed == 1);
}

TEST_CASE("a last line without its end is read; words alone are no result") {
  CHECK(parse_guest_results("result arm=a n=7").number("a", "n") == 7);
  CHECK(parse_guest_results("results arm=a\nresult\nthe result arm=b\n").malformed == 0);
  CHECK(parse_guest_results(std::string("result arm=a n=1\0\n", 18)).malformed == 1);
}
