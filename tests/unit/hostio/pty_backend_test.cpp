#include "hostio/pty_backend.hpp"

#include <boost/asio/post.hpp>
#include <thread>

#include "pty.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

UniqueFd connect(const PtyBackend& backend) {
  UniqueFd client(::open(backend.path().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(client);
  return client;
}

}  // namespace

TEST_CASE("the notice names a pseudoterminal that is raw") {
  boost::asio::io_context io;
  const PtyBackend backend(io);
  CHECK(backend.notice() == "serial port at " + backend.path());
  const termios mode = mode_of(connect(backend).get());
  CHECK((mode.c_lflag & (ICANON | ECHO | ISIG)) == 0);
  CHECK((mode.c_oflag & OPOST) == 0);
}

TEST_CASE(
    "a client of the pseudoterminal gets what was written before it came and exchanges bytes with the "
    "guest") {
  boost::asio::io_context io;
  PtyBackend backend(io);
  Port port;
  backend.start(std::ref(port));
  put(backend.sink(), "early\n");
  io.run_for(std::chrono::milliseconds(5));
  const UniqueFd client = connect(backend);
  CHECK(run_until_read(io, client.get(), "early\n"));
  put(backend.sink(), "now\n");
  CHECK(run_until_read(io, client.get(), "now\n"));
  send(client.get(), "typed\r");
  CHECK(run_until(io, [&] { return port.received == "typed\r"; }));
}

TEST_CASE("without a client of the pseudoterminal the guest never waits, and the oldest output is kept") {
  boost::asio::io_context io;
  PtyBackend backend(io);
  const std::string text = pattern(OutputQueue::capacity);
  put(backend.sink(), text);
  put(backend.sink(), text);
  backend.drain();
  CHECK(backend.loss().empty());
  const UniqueFd client = connect(backend);
  CHECK(run_until_read(io, client.get(), text));
}

TEST_CASE("clients may follow one another; one that only writes and leaves is heard") {
  boost::asio::io_context io;
  PtyBackend backend(io);
  Port port;
  backend.start(std::ref(port));
  for (const std::string name : {"first", "second"}) {
    put(backend.sink(), name);
    const UniqueFd client = connect(backend);
    CHECK(run_until_read(io, client.get(), name));
  }
  send(connect(backend).get(), "bye");
  CHECK(run_until(io, [&] { return port.received == "bye"; }));
}

TEST_CASE("a client that leaves while the guest waits for it releases the guest") {
  boost::asio::io_context io;
  PtyBackend backend(io);
  UniqueFd client = connect(backend);
  put(backend.sink(), "x");
  CHECK(run_until_read(io, client.get(), "x"));
  std::thread vcpu([&] { put(backend.sink(), std::string(8 * OutputQueue::capacity, 'x')); });
  io.run_for(std::chrono::milliseconds(5));
  client.reset();
  bool released = false;
  std::thread waiter([&] {
    vcpu.join();
    boost::asio::post(io, [&] { released = true; });
  });
  CHECK(run_until(io, [&] { return released; }));
  waiter.join();
}

TEST_CASE("drain returns when the client has read the last byte") {
  boost::asio::io_context io;
  const std::string text = pattern(1000);
  std::string received;
  std::thread reader;
  {
    PtyBackend backend(io);
    UniqueFd client = connect(backend);
    put(backend.sink(), "x");
    CHECK(run_until_read(io, client.get(), "x"));
    put(backend.sink(), text);
    reader = std::thread([&received, client = std::move(client)] {
      std::array<char, 100> bytes;
      for (ssize_t count = 0; (count = ::read(client.get(), bytes.data(), bytes.size())) > 0;) {
        received.append(bytes.data(), static_cast<std::size_t>(count));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    backend.drain();
  }
  reader.join();
  CHECK(received == text);
}
