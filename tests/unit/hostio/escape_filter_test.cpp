#include "hostio/escape_filter.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using kvmbench::hostio::EscapeFilter;

namespace {

struct Typed {
  std::string to_guest;
  bool leave = false;
};

Typed type(EscapeFilter& filter, const std::string& keys) {
  std::vector<std::uint8_t> room(keys.size() + 1);
  const auto result = filter.filter({reinterpret_cast<const std::uint8_t*>(keys.data()), keys.size()}, room);
  return {std::string(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(result.size)), result.leave};
}

}  // namespace

TEST_CASE("keys other than Ctrl-a go to the guest, Ctrl-C and x among them") {
  EscapeFilter filter;
  const Typed typed = type(filter, "x\x03\x1b[A\xff");
  CHECK(typed.to_guest == "x\x03\x1b[A\xff");
  CHECK_FALSE(typed.leave);
}

TEST_CASE("Ctrl-a x leaves; what was typed before it reaches the guest, what follows does not") {
  EscapeFilter filter;
  const Typed typed = type(filter, "ab\x01xcd");
  CHECK(typed.to_guest == "ab");
  CHECK(typed.leave);
}

TEST_CASE("Ctrl-a and x that arrive in two reads leave") {
  EscapeFilter filter;
  CHECK(type(filter, "\x01").to_guest.empty());
  CHECK(type(filter, "x").leave);
}

TEST_CASE("Ctrl-a twice is one Ctrl-a for the guest") {
  EscapeFilter filter;
  CHECK(type(filter, "\x01\x01").to_guest == "\x01");
  CHECK(type(filter, "\x01").to_guest.empty());
  CHECK(type(filter, "\x01").to_guest == "\x01");
}

TEST_CASE("x after Ctrl-a twice is an ordinary x") {
  EscapeFilter filter;
  const Typed typed = type(filter, "\x01\x01x");
  CHECK(typed.to_guest == "\x01x");
  CHECK_FALSE(typed.leave);
}

TEST_CASE("Ctrl-a before another key sends both, one byte more than the second read had") {
  EscapeFilter filter;
  CHECK(type(filter, "\x01").to_guest.empty());
  CHECK(type(filter, "k").to_guest == "\x01k");
}
