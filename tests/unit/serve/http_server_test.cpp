#include "serve/http_server.hpp"

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <list>
#include <thread>

#include "base/error.hpp"
#include "serve/endpoint.hpp"

namespace kvmbench::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::optional<Content> hello(const std::string& path) {
  if (path == "/hello") return Content{"text/plain", "good day"};
  return std::nullopt;
}

HttpServer::Options anywhere() {
  return {.endpoint = parse_endpoint("0"), .token = {}, .tick = {}};
}

class Client final {
 public:
  explicit Client(const HttpServer& server) { socket_.connect(server.endpoint()); }

  void send(const std::string& text) { asio::write(socket_, asio::buffer(text)); }
  /// All that comes until the server closes.
  std::string rest() {
    std::string text;
    boost::system::error_code closed;
    asio::read(socket_, asio::dynamic_buffer(text), closed);
    return text;
  }
  /// Whether the server has closed; what it has sent is lost.
  bool cut_off() {
    std::array<char, 64> some;
    boost::system::error_code error;
    socket_.non_blocking(true);
    socket_.read_some(asio::buffer(some), error);
    return error && error != asio::error::would_block;
  }
  std::string exactly(std::size_t bytes) {
    std::string text(bytes, '\0');
    asio::read(socket_, asio::buffer(text));
    return text;
  }

 private:
  asio::io_context io_;
  tcp::socket socket_{io_};
};

std::string ask(const HttpServer& server, const std::string& text) {
  Client client(server);
  client.send(text);
  return client.rest();
}

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n";
}

bool has_status(const std::string& answer, const std::string& status) {
  return answer.starts_with("HTTP/1.1 " + status + " ");
}

TEST_CASE("content is served with its type and length") {
  const HttpServer server(anywhere(), hello);
  const std::string answer = ask(server, get("/hello"));
  CHECK(has_status(answer, "200"));
  CHECK(answer.find("\r\nContent-Type: text/plain\r\n") != std::string::npos);
  CHECK(answer.find("\r\nContent-Length: 8\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\ngood day"));
}

TEST_CASE("HEAD is answered as GET is, without the body") {
  const HttpServer server(anywhere(), hello);
  const std::string answer = ask(server, "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(has_status(answer, "200"));
  CHECK(answer.find("\r\nContent-Length: 8\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("a connection serves one request after the other") {
  const HttpServer server(anywhere(), hello);
  Client client(server);
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.exactly(15).starts_with("HTTP/1.1 200"));
  client.send(get("/hello"));
  const std::string rest = client.rest();
  CHECK(rest.find("good dayHTTP/1.1 200") != std::string::npos);
}

TEST_CASE("what is not there is not found, and other methods are not allowed") {
  const HttpServer server(anywhere(), hello);
  CHECK(has_status(ask(server, get("/nothing")), "404"));
  CHECK(has_status(ask(server, "DELETE /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "405"));
}

TEST_CASE("without the token nothing is served") {
  HttpServer::Options options = anywhere();
  options.token = "s3cret";
  const HttpServer server(options, hello);
  CHECK(has_status(ask(server, get("/hello")), "401"));
  CHECK(has_status(ask(server, get("/hello", "Authorization: Bearer s3cre\r\n")), "401"));
  CHECK(has_status(ask(server, get("/hello", "Authorization: Bearer s3crets3cret\r\n")), "401"));
  CHECK(has_status(ask(server, get("/hello?token=")), "401"));
  CHECK(has_status(ask(server, get("/nothing")), "401"));
  CHECK(has_status(ask(server, get("/hello", "Authorization: Bearer s3cret\r\n")), "200"));
  CHECK(has_status(ask(server, get("/hello?token=s3cret")), "200"));
}

TEST_CASE("what is no request, or too large a one, is refused and the server lives on") {
  const HttpServer server(anywhere(), hello);
  CHECK(has_status(ask(server, "\x16\x03\x01\x02 not HTTP\r\n\r\n"), "400"));
  CHECK(has_status(ask(server, "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n"), "431"));
  CHECK(has_status(ask(server, "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"),
                   "413"));
  CHECK(has_status(ask(server, get("/hello")), "200"));
}

TEST_CASE("of many clients the 33rd is refused, until another has gone") {
  const HttpServer server(anywhere(), hello);
  std::list<Client> silent;
  for (int i = 0; i < 32; ++i) silent.emplace_back(server);
  CHECK(has_status(Client(server).rest(), "503"));
  silent.clear();
  // The server sees that they have gone when it gets to it.
  std::string answer;
  for (int i = 0; i < 500 && !has_status(answer, "200"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    try {
      answer = ask(server, get("/hello"));
    } catch (const boost::system::system_error&) {  // refused while it was asking
    }
  }
  CHECK(has_status(answer, "200"));
}

TEST_CASE("a client that does not read does not hinder the others, nor the server's end") {
  const HttpServer server(anywhere(), [](const std::string&) {
    return Content{"text/plain", std::string(64 << 20, 'x')};
  });
  Client client(server);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string other = ask(server, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(has_status(other, "200"));
}

TEST_CASE("a client that asks byte by byte is cut off, and hinders nobody meanwhile") {
  HttpServer::Options options = anywhere();
  options.time_to_ask = std::chrono::milliseconds(200);
  const HttpServer server(options, hello);
  Client slow(server);
  slow.send("GET /hello HTTP/1.1\r\nX: ");
  CHECK(has_status(ask(server, get("/hello")), "200"));
  bool cut_off = false;
  for (int bytes = 0; bytes < 4000 && !cut_off; ++bytes) {  // a head of less than 8 KiB
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    try {
      slow.send("x");
      cut_off = slow.cut_off();
    } catch (const boost::system::system_error&) {
      cut_off = true;
    }
  }
  CHECK(cut_off);
  CHECK(has_status(ask(server, get("/hello")), "200"));
}

TEST_CASE("the tick comes again and again on the server's thread") {
  std::atomic<int> ticks = 0;
  HttpServer::Options options = anywhere();
  options.tick = [&ticks] { ++ticks; };
  options.tick_interval = std::chrono::milliseconds(1);
  const HttpServer server(options, hello);
  while (ticks < 3) std::this_thread::yield();
}

TEST_CASE("a port that is taken is an error that names it") {
  const HttpServer first(anywhere(), hello);
  HttpServer::Options options = anywhere();
  options.endpoint = first.endpoint();
  CHECK_THROWS_AS(HttpServer(options, hello), UsageError);
}

}  // namespace
}  // namespace kvmbench::serve
