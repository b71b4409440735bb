/// Where a server listens, as an option names it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace kvmbench::serve {

/// "127.0.0.1:9550", "[::1]:9550"; "9550" and ":9550" are of the loopback interface. Port 0 is one of the
/// system's choice. Throws UsageError.
[[nodiscard]] boost::asio::ip::tcp::endpoint parse_endpoint(const std::string& text);

}  // namespace kvmbench::serve
