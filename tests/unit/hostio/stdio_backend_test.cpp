#include "hostio/stdio_backend.hpp"

#include "pty.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

TEST_CASE("pipes: bytes pass in both directions, Ctrl-a x included, and nothing is left non-blocking") {
  boost::asio::io_context io;
  const FdPair in = make_pipe();
  const FdPair out = make_pipe();
  int leaves = 0;
  StdioBackend backend(io, in.read.get(), out.write.get(), [&] { ++leaves; });
  Port port;
  backend.start(std::ref(port));
  put(backend.sink(), "login: ");
  CHECK(run_until_read(io, out.read.get(), "login: "));
  send(in.write.get(), "a\x01xb");
  CHECK(run_until(io, [&] { return port.received == "a\x01xb"; }));
  CHECK(leaves == 0);
  CHECK(backend.notice().empty());
  CHECK_FALSE(non_blocking(in.read.get()));
  CHECK_FALSE(non_blocking(out.write.get()));
}

TEST_CASE("a terminal is raw while the backend lives, and stays blocking for those who share it") {
  boost::asio::io_context io;
  const Pty pty;
  const tcflag_t before = mode_of(pty.slave.get()).c_lflag;
  REQUIRE((before & ICANON) != 0);
  {
    StdioBackend backend(io, pty.slave.get(), pty.slave.get(), [] {});
    CHECK((mode_of(pty.slave.get()).c_lflag & ICANON) == 0);
    put(backend.sink(), "hello\r");
    CHECK(run_until_read(io, pty.user.get(), "hello\r"));
    CHECK_FALSE(non_blocking(pty.slave.get()));
    CHECK(backend.notice().find("Ctrl-a x") != std::string::npos);
  }
  CHECK(mode_of(pty.slave.get()).c_lflag == before);
}

TEST_CASE("on a terminal Ctrl-C goes to the guest and Ctrl-a x leaves") {
  boost::asio::io_context io;
  const Pty pty;
  int leaves = 0;
  StdioBackend backend(io, pty.slave.get(), pty.slave.get(), [&] { ++leaves; });
  Port port;
  SECTION("with a guest that reads") {
    backend.start(std::ref(port));
    send(pty.user.get(), "ls\x03\x01\x01\x01x");
    CHECK(run_until(io, [&] { return leaves == 1; }));
    CHECK(port.received == "ls\x03\x01");
  }
  SECTION("with a guest that takes nothing") {
    port.room = 0;
    backend.start(std::ref(port));
    send(pty.user.get(), "ls\x01x");
    CHECK(run_until(io, [&] { return leaves == 1; }));
  }
  SECTION("before the guest runs") {
    send(pty.user.get(), "\x01x");
    CHECK(run_until(io, [&] { return leaves == 1; }));
  }
}

TEST_CASE("the end of standard input ends the input only") {
  boost::asio::io_context io;
  FdPair in = make_pipe();
  const FdPair out = make_pipe();
  StdioBackend backend(io, in.read.get(), out.write.get(), [] {});
  Port port;
  backend.start(std::ref(port));
  send(in.write.get(), "bye");
  in.write.reset();
  CHECK(run_until(io, [&] { return port.received == "bye"; }));
  io.run_for(std::chrono::milliseconds(5));
  put(backend.sink(), "still here");
  CHECK(run_until_read(io, out.read.get(), "still here"));
}

TEST_CASE("output that nobody reads any more is counted, and its error is told") {
  boost::asio::io_context io;
  const FdPair in = make_pipe();
  FdPair out = make_pipe();
  out.read.reset();
  StdioBackend backend(io, in.read.get(), out.write.get(), [] {});
  CHECK(backend.loss().empty());
  put(backend.sink(), "hello");
  backend.drain();
  CHECK(backend.loss() == "standard output: 5 bytes of the guest's output were not written: Broken pipe");
}
