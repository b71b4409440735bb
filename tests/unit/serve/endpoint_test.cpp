#include "serve/endpoint.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

namespace kvmbench::serve {
namespace {

using boost::asio::ip::make_address;

TEST_CASE("an endpoint is an address and a port") {
  CHECK(parse_endpoint("192.0.2.1:9550").address() == make_address("192.0.2.1"));
  CHECK(parse_endpoint("192.0.2.1:9550").port() == 9550);
  CHECK(parse_endpoint("[2001:db8::1]:80").address() == make_address("2001:db8::1"));
}

TEST_CASE("a port alone is this host's own") {
  CHECK(parse_endpoint("9550").address() == make_address("127.0.0.1"));
  CHECK(parse_endpoint(":0").address() == make_address("127.0.0.1"));
  CHECK(parse_endpoint(":0").port() == 0);
}

TEST_CASE("what is no endpoint is refused") {
  for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "host:80",
                           "::1:80", "[127.0.0.1]:80", "127.0.0.1:80 ", "[::1:80"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_endpoint(text), UsageError);
  }
}

}  // namespace
}  // namespace kvmbench::serve
