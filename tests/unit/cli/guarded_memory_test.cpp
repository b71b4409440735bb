#include "cli/guarded_memory.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace kvmbench;
using namespace kvmbench::cli;
using namespace std::chrono_literals;

namespace {

using Kind = GuardedRange::Kind;

GuardedRange protect(const std::string& text) {
  return parse_guarded_memory({text}, {}).ranges.at(0);
}
GuardedRange watch(const std::string& text) {
  return parse_guarded_memory({}, {text}).ranges.at(0);
}

}  // namespace

TEST_CASE("a range to protect has its first and last byte, a use and an action") {
  const GuardedRange range = protect("0x1000000-0x1001fff:none");
  CHECK(range.first == Gpa{0x1000000});
  CHECK(range.length == 0x2000);
  CHECK(range.last() == Gpa{0x1001fff});
  CHECK(range.kind == Kind::off_limits);
  CHECK(range.action == GuardedRange::Action::report);
  CHECK(rule_of(range) == "none,action=report");
  CHECK(rule_of(protect("4096-8191:ro")) == "ro,action=report");
  CHECK(rule_of(protect("0x1000-0x1fff:ro,action=inject")) == "ro,action=inject");
  CHECK(rule_of(protect("0x1000-0x1fff:none,action=stop")) == "none,action=stop");
}

TEST_CASE("a range to watch has a way, and the bitmap a period") {
  CHECK(rule_of(watch("0x1000-0x1fff")) == "watch,by=exit");
  CHECK(rule_of(watch("0x1000-0x1fff,by=bitmap")) == "watch,by=bitmap");
  CHECK(rule_of(watch("0x1000-0x1fff,by=ring")) == "watch,by=ring");
  CHECK(parse_guarded_memory({}, {}).every == 10ms);
  CHECK(parse_guarded_memory({}, {"0x1000-0x1fff,by=bitmap,every=50ms"}).every == 50ms);
  CHECK(parse_guarded_memory({}, {"0x1000-0x1fff,by=bitmap,every=50ms", "0x2000-0x2fff,by=bitmap,every=2ms"})
            .every == 2ms);
}

TEST_CASE("what is no range, or no whole pages, is refused") {
  for (const char* bad :
       {"", "0x1000", "0x1000-", "-0x1fff", "0x1000-0x2000", "0x1001-0x1fff", "0x2000-0x1fff",
        "0x1000-0x1fffg", "0-18446744073709551615", "0x1000-0x1fff-0x2fff", "0x1000-0x1ffffffffffffffff"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(watch(bad), UsageError);
    CHECK_THROWS_AS(protect(std::string(bad) + ":ro"), UsageError);
  }
  for (const char* bad : {"0x1000-0x1fff", "0x1000-0x1fff:", "0x1000-0x1fff:rw",
                          "0x1000-0x1fff:ro,action=kill", "0x1000-0x1fff:ro,by=exit"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(protect(bad), UsageError);
  }
  for (const char* bad : {"0x1000-0x1fff:ro", "0x1000-0x1fff,by=magic", "0x1000-0x1fff,every=1ms",
                          "0x1000-0x1fff,by=bitmap,every=0ms"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(watch(bad), UsageError);
  }
}

TEST_CASE("a machine has the bitmap or the rings") {
  CHECK_THROWS_AS(parse_guarded_memory({}, {"0x1000-0x1fff,by=ring", "0x2000-0x2fff,by=bitmap"}), UsageError);
}
