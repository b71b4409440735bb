#include "serve/http_server.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <sstream>
#include <string_view>
#include <thread>

#include "base/error.hpp"

namespace kvmbench::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr std::uint32_t most_head_bytes = 8 * 1024;
constexpr std::size_t most_clients = 32;
constexpr std::chrono::seconds time_to_answer{30};

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

/// In a time that does not tell how much of it was right.
bool equal(std::string_view given, std::string_view wanted) {
  unsigned different = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    different |= static_cast<unsigned>(given[i] ^ wanted[i % std::max<std::size_t>(wanted.size(), 1)]);
  }
  return different == 0;
}

/// A request's path, and its query without the question mark.
struct Target {
  std::string path;
  std::string query;
};
Target target_of(const Request& request) {
  const std::string whole(request.target().data(), request.target().size());
  const std::size_t mark = whole.find('?');
  return {whole.substr(0, mark), mark == std::string::npos ? "" : whole.substr(mark + 1)};
}

bool allowed(const Request& request, const Target& target, const std::optional<std::string>& token) {
  if (!token) return true;
  const auto header = request[http::field::authorization];
  constexpr std::string_view scheme = "Bearer ", parameter = "token=";
  const std::string_view given(header.data(), header.size());
  if (given.starts_with(scheme)) return equal(given.substr(scheme.size()), *token);
  return target.query.starts_with(parameter) && equal(target.query.substr(parameter.size()), *token);
}

/// What the connections share.
struct Shared {
  HttpServer::ContentOf content_of;
  std::optional<std::string> token;
  std::chrono::milliseconds time_to_ask;
  std::size_t clients = 0;

  [[nodiscard]] Response answer(const Request& request) const;
};

Response Shared::answer(const Request& request) const {
  Response response{http::status::ok, request.version()};
  response.keep_alive(request.keep_alive());
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  const auto refuse = [&response](http::status status, std::string_view why) {
    response.result(status);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.body() = why;
    response.prepare_payload();
    return std::move(response);
  };
  const Target target = target_of(request);
  if (!allowed(request, target, token)) {
    response.set(http::field::www_authenticate, "Bearer");
    return refuse(http::status::unauthorized, "a token is needed\n");
  }
  const bool head = request.method() == http::verb::head;
  if (request.method() != http::verb::get && !head) {
    response.set(http::field::allow, "GET, HEAD");
    return refuse(http::status::method_not_allowed, "only GET and HEAD are served\n");
  }
  std::optional<Content> content = content_of(target.path);
  if (!content) return refuse(http::status::not_found, "there is /, /metrics and /snapshot\n");
  response.set(http::field::content_type, content->type);
  response.content_length(content->body.size());
  if (!head) response.body() = std::move(content->body);
  return response;
}

/// One client; lives as long as something of it is under way.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    ++shared_.clients;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { --shared_.clients; }

  void start() { shared_.clients > most_clients ? refuse() : read(); }

 private:
  void read() {
    parser_.emplace();
    parser_->header_limit(most_head_bytes);
    parser_->body_limit(0);
    stream_.expires_after(shared_.time_to_ask);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, std::size_t) { self->asked(error); });
  }

  void asked(beast::error_code error) {
    if (error == http::error::end_of_stream) return close();
    if (error == http::error::header_limit) return refuse_with(http::status::request_header_fields_too_large);
    if (error == http::error::body_limit) return refuse_with(http::status::payload_too_large);
    if (error.category() == http::make_error_code(http::error::bad_method).category())
      return refuse_with(http::status::bad_request);
    if (error) return;  // it has gone, or has taken too long
    write(shared_.answer(parser_->get()));
  }

  void refuse() { refuse_with(http::status::service_unavailable); }

  void refuse_with(http::status status) {
    Response response{status, 11};
    response.keep_alive(false);
    response.prepare_payload();
    write(std::move(response));
  }

  void write(Response response) {
    response_ = std::move(response);
    stream_.expires_after(time_to_answer);
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return;
      self->response_.need_eof() ? self->close() : self->read();
    });
  }

  void close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{2 * most_head_bytes};
  std::optional<http::request_parser<http::empty_body>> parser_;
  Response response_;
};

std::string words_for(const tcp::endpoint& endpoint) {
  std::ostringstream words;
  words << endpoint;
  return words.str();
}

}  // namespace

class HttpServer::Implementation final {
 public:
  Implementation(const Options& options, ContentOf content_of)
      : shared_{std::move(content_of), options.token, options.time_to_ask},
        acceptor_(io_),
        tick_(options.tick),
        tick_interval_(options.tick_interval),
        timer_(io_) {
    try {
      acceptor_.open(options.endpoint.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address(true));
      acceptor_.bind(options.endpoint);
      acceptor_.listen();
    } catch (const boost::system::system_error& error) {
      throw UsageError(fmt::format("--serve: cannot listen at {}: {}", words_for(options.endpoint),
                                   error.code().message()));
    }
    endpoint_ = acceptor_.local_endpoint();
    accept();
    if (tick_) schedule_tick();
    thread_ = std::thread([this] { io_.run(); });
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    io_.stop();
    thread_.join();
  }

  [[nodiscard]] tcp::endpoint endpoint() const { return endpoint_; }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (!error) {
        std::make_shared<Connection>(std::move(socket), shared_)->start();
        return accept();
      }
      if (error == asio::error::operation_aborted) return;
      // No descriptor is left, or the client has gone: not again at once, as the cause lasts.
      retry_.expires_after(std::chrono::milliseconds(100));
      retry_.async_wait([this](beast::error_code cancelled) {
        if (!cancelled) accept();
      });
    });
  }

  void schedule_tick() {
    timer_.expires_after(tick_interval_);
    timer_.async_wait([this](beast::error_code cancelled) {
      if (cancelled) return;
      tick_();
      schedule_tick();
    });
  }

  Shared shared_;  // before what uses it, so that it outlives the connections that io_ holds
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_{io_};
  std::function<void()> tick_;
  std::chrono::milliseconds tick_interval_;
  asio::steady_timer timer_;
  tcp::endpoint endpoint_;
  std::thread thread_;
};

HttpServer::HttpServer(const Options& options, ContentOf content_of)
    : implementation_(std::make_unique<Implementation>(options, std::move(content_of))) {}

HttpServer::~HttpServer() = default;

tcp::endpoint HttpServer::endpoint() const {
  return implementation_->endpoint();
}

}  // namespace kvmbench::serve
