/// A small HTTP/1.1 server for what can be read of a run. It has a thread of its own, so that no client ever
/// waits on a vCPU's thread nor a vCPU on a client.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace kvmbench::serve {

struct Content {
  std::string type;  ///< media type
  std::string body;
};

/// Answers GET and HEAD. What a client may ask for is bounded: a request's head takes at most 8 KiB and has
/// no body, comes within Options::time_to_ask and is answered within 30 s (a client that reads more slowly is
/// cut off); of more than 32 clients at once the further ones are refused, with 503.
class HttpServer final {
 public:
  /// The content at an absolute path; nothing where there is none. Called on the server's thread.
  using ContentOf = std::function<std::optional<Content>(const std::string& path)>;

  struct Options {
    boost::asio::ip::tcp::endpoint endpoint;
    std::optional<std::string> token;  ///< wanted as "Authorization: Bearer TOKEN" or "?token=TOKEN"
    /// Called on the server's thread this often; an empty function is not called.
    std::function<void()> tick;
    std::chrono::milliseconds tick_interval{1000};
    /// For a request's head, from its first byte to its last or from the answer before.
    std::chrono::milliseconds time_to_ask{10'000};
  };

  /// Listens, and serves from now on. Throws UsageError where it cannot listen.
  HttpServer(const Options& options, ContentOf content_of);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Cuts off whoever is still connected.
  ~HttpServer();

  /// Where it listens, with the port that the system has chosen.
  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kvmbench::serve
