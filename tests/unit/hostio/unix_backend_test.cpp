#include "hostio/unix_backend.hpp"

#include <sys/un.h>

#include <boost/asio/post.hpp>
#include <cstring>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "support.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

UniqueFd connect(const std::string& path) {
  UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return client;
}

struct Fixture {
  boost::asio::io_context io;
  TemporaryDirectory directory;
  std::string path = directory.file("serial");
};

}  // namespace

TEST_CASE("a client of the socket gets what was written before it came and exchanges bytes with the guest") {
  Fixture f;
  UnixBackend backend(f.io, f.path);
  CHECK(backend.notice() == "serial port at " + f.path);
  Port port;
  backend.start(std::ref(port));
  put(backend.sink(), "early");
  f.io.run_for(std::chrono::milliseconds(5));
  const UniqueFd client = connect(f.path);
  CHECK(run_until_read(f.io, client.get(), "early"));
  put(backend.sink(), "now");
  CHECK(run_until_read(f.io, client.get(), "now"));
  send(client.get(), "typed");
  CHECK(run_until(f.io, [&] { return port.received == "typed"; }));
}

TEST_CASE("a second client is served when the first one has gone") {
  Fixture f;
  UnixBackend backend(f.io, f.path);
  Port port;
  backend.start(std::ref(port));
  UniqueFd first = connect(f.path);
  put(backend.sink(), "to first");
  CHECK(run_until_read(f.io, first.get(), "to first"));
  const UniqueFd second = connect(f.path);
  send(second.get(), "from second");
  send(first.get(), "from first, ");
  CHECK(run_until(f.io, [&] { return port.received == "from first, "; }));
  first.reset();
  CHECK(run_until(f.io, [&] { return port.received == "from first, from second"; }));
  put(backend.sink(), "to second");
  CHECK(run_until_read(f.io, second.get(), "to second"));
}

TEST_CASE(
    "without a client of the socket the guest never waits; one that leaves while the guest waits releases "
    "it") {
  Fixture f;
  UnixBackend backend(f.io, f.path);
  put(backend.sink(), std::string(2 * OutputQueue::capacity, 'x'));
  UniqueFd client = connect(f.path);
  CHECK(run_until_read(f.io, client.get(), std::string(OutputQueue::capacity, 'x')));
  std::thread vcpu([&] { put(backend.sink(), std::string(64 * OutputQueue::capacity, 'x')); });
  f.io.run_for(std::chrono::milliseconds(5));
  client.reset();
  bool released = false;
  std::thread waiter([&] {
    vcpu.join();
    boost::asio::post(f.io, [&] { released = true; });
  });
  CHECK(run_until(f.io, [&] { return released; }));
  waiter.join();
}

TEST_CASE("the socket is removed at the end, but not what has taken its place") {
  Fixture f;
  {
    const UnixBackend backend(f.io, f.path);
    CHECK(std::filesystem::is_socket(f.path));
  }
  CHECK_FALSE(std::filesystem::exists(f.path));
  {
    const UnixBackend backend(f.io, f.path);
    std::filesystem::remove(f.path);
    std::ofstream(f.path) << "somebody else's";
  }
  CHECK(std::filesystem::exists(f.path));
}

TEST_CASE("a socket that nobody listens on is replaced") {
  Fixture f;
  const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, f.path.data(), f.path.size());
  REQUIRE(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  UnixBackend backend(f.io, f.path);
  put(backend.sink(), "alive");
  CHECK(run_until_read(f.io, connect(f.path).get(), "alive"));
}

TEST_CASE("a socket in use, a file that is not a socket and an impossible path are errors of use") {
  Fixture f;
  const UnixBackend backend(f.io, f.path);
  CHECK_THROWS_WITH(UnixBackend(f.io, f.path), Catch::Contains("another program uses"));
  CHECK(std::filesystem::is_socket(f.path));
  const std::string file = f.directory.file("file");
  std::ofstream(file) << "precious";
  CHECK_THROWS_AS(UnixBackend(f.io, file), UsageError);
  CHECK(std::filesystem::file_size(file) == 8);
  CHECK_THROWS_WITH(UnixBackend(f.io, f.directory.file(std::string(108, 'x'))), Catch::Contains("107 bytes"));
  CHECK_THROWS_AS(UnixBackend(f.io, f.directory.file("missing/serial")), UsageError);
  CHECK_THROWS_AS(UnixBackend(f.io, ""), UsageError);
}
