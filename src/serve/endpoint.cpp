#include "serve/endpoint.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"

namespace kvmbench::serve {

boost::asio::ip::tcp::endpoint parse_endpoint(const std::string& text) {
  const auto refuse = [&text](const char* what) {
    throw UsageError(fmt::format(
        "'{}': {}; give ADDRESS:PORT, [IPV6-ADDRESS]:PORT, or a port of this host alone", text, what));
  };
  const std::size_t colon = text.rfind(':');
  const std::string port_text = colon == std::string::npos ? text : text.substr(colon + 1);
  std::string address_text = colon == std::string::npos ? "" : text.substr(0, colon);

  std::uint16_t port = 0;
  const char* end = port_text.data() + port_text.size();
  const auto [stopped, error] = std::from_chars(port_text.data(), end, port);
  if (error != std::errc{} || stopped != end) refuse("the port is no number from 0 to 65535");

  if (address_text.empty()) return {boost::asio::ip::address_v4::loopback(), port};
  const bool bracketed = address_text.starts_with('[') && address_text.ends_with(']');
  if (bracketed) address_text = address_text.substr(1, address_text.size() - 2);
  boost::system::error_code invalid;
  const auto address = boost::asio::ip::make_address(address_text, invalid);
  if (invalid || address.is_v6() != bracketed) refuse("the address is no IP address");
  return {address, port};
}

}  // namespace kvmbench::serve
