#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "devices/mac_address.hpp"
#include "devices/network_backend.hpp"
#include "devices/network_counters.hpp"

using namespace kvmbench;

namespace {

std::uint64_t count_of(const NetworkCounters& counters, std::string_view name) {
  for (const Operation& operation : counters.operations()) {
    if (operation.name == name) return operation.count;
  }
  FAIL("no count named " << name);
  return 0;
}

}  // namespace

TEST_CASE("a frame in pieces is copied in their order, as far as there is room") {
  const std::string first = "ab", second = "", third = "cdef";
  const std::array pieces = {std::as_bytes(std::span(first)), std::as_bytes(std::span(second)),
                             std::as_bytes(std::span(third))};
  const OutgoingFrame frame{.header = {}, .pieces = pieces};
  CHECK(frame.size() == 6);
  std::string to(8, '.');
  CHECK(copy_frame(frame, std::as_writable_bytes(std::span(to))) == 6);
  CHECK(to == "abcdef..");
  to.assign(3, '.');
  CHECK(copy_frame(frame, std::as_writable_bytes(std::span(to))) == 3);
  CHECK(to == "abc");
  CHECK(copy_frame(frame, {}) == 0);
  CHECK(copy_frame({}, std::as_writable_bytes(std::span(to))) == 0);
}

TEST_CASE("packets and bytes are the sums of both directions; drops are neither") {
  NetworkCounters counters;
  counters.sent(60);
  counters.sent(1514);
  counters.received(42);
  counters.send_dropped();
  counters.receive_dropped();
  counters.receive_dropped();
  CHECK(count_of(counters, "packets") == 3);
  CHECK(count_of(counters, "bytes") == 60 + 1514 + 42);
  CHECK(count_of(counters, "packets sent") == 2);
  CHECK(count_of(counters, "bytes sent") == 60 + 1514);
  CHECK(count_of(counters, "packets received") == 1);
  CHECK(count_of(counters, "bytes received") == 42);
  CHECK(count_of(counters, "sends dropped") == 1);
  CHECK(count_of(counters, "receives dropped") == 2);
}

TEST_CASE("a default address is a station's, locally administered, and one a card") {
  const MacAddress address = default_mac_address(0);
  CHECK_FALSE(address.multicast());
  CHECK((address.bytes[0] & 2) != 0);
  CHECK(address != default_mac_address(1));
}

TEST_CASE("a frame begins with its destination: a group's has the lowest bit of its first byte set") {
  std::array<std::byte, 14> frame{};
  frame.fill(std::byte{0xff});
  CHECK(destination_of(frame).broadcast());
  CHECK(destination_of(frame).multicast());
  frame[0] = std::byte{0x33};
  CHECK_FALSE(destination_of(frame).broadcast());
  CHECK(destination_of(frame).multicast());
  frame[0] = std::byte{0x52};
  CHECK_FALSE(destination_of(frame).multicast());
  CHECK(destination_of(std::span(frame).first(5)) == MacAddress{});
}

TEST_CASE("without a cable the link is down and nothing goes out") {
  UnconnectedNetwork network;
  CHECK_FALSE(network.link_up());
  CHECK_FALSE(network.send({}));
  CHECK(network.offloads() == NetworkOffloads{});
}
