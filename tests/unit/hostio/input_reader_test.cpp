#include "hostio/input_reader.hpp"

#include "support.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

struct Fixture {
  boost::asio::io_context io;
  Port port;
  int ends = 0;
  InputReader reader{io, [this] {
                       ++ends;
                       reader.detach();
                     }};

  void start() {
    reader.start([this](std::span<const std::uint8_t> bytes) { return port(bytes); });
  }
  /// Nothing that is ready remains undone.
  void settle() {
    io.restart();
    while (io.poll() > 0) io.restart();
  }
};

}  // namespace

TEST_CASE("input reaches the port; the file description stays blocking") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.reader.attach(pipe.read.get());
  f.start();
  send(pipe.write.get(), "hello");
  CHECK(run_until(f.io, [&] { return f.port.received == "hello"; }));
  CHECK_FALSE(non_blocking(pipe.read.get()));
  send(pipe.write.get(), " again");
  CHECK(run_until(f.io, [&] { return f.port.received == "hello again"; }));
}

TEST_CASE("what the port refuses is offered again when it has room, and not before") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.port.room = 3;
  f.reader.attach(pipe.read.get());
  f.start();
  send(pipe.write.get(), "0123456789");
  CHECK(run_until(f.io, [&] { return f.port.offers == 1; }));
  f.settle();
  CHECK(f.port.received == "012");
  CHECK(f.port.offers == 1);
  f.port.room = 4;
  f.reader.room();
  CHECK(run_until(f.io, [&] { return f.port.offers == 2; }));
  CHECK(f.port.received == "0123456");
  f.port.room = 16;
  f.reader.room();
  CHECK(run_until(f.io, [&] { return f.port.offers == 3; }));
  CHECK(f.port.received == "0123456789");
}

TEST_CASE("room() of a port that has refused nothing does not wake the I/O thread") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.reader.attach(pipe.read.get());
  f.start();
  send(pipe.write.get(), "a");
  CHECK(run_until(f.io, [&] { return f.port.received == "a"; }));
  f.settle();
  f.reader.room();
  f.io.restart();
  CHECK(f.io.poll() == 0);
}

TEST_CASE("nothing is read before start, and then what was sent arrives") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.reader.attach(pipe.read.get());
  send(pipe.write.get(), "early");
  f.settle();
  CHECK(available(pipe.read.get()) == "early");
  send(pipe.write.get(), "late");
  f.start();
  CHECK(run_until(f.io, [&] { return f.port.received == "late"; }));
}

TEST_CASE("a port that takes nothing stops the sender at a bound; nothing is lost") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.port.room = 0;
  f.reader.attach(pipe.read.get());
  f.start();
  const std::string text = pattern(InputReader::capacity);
  // A pipe holds 64 KiB, so twice the capacity fits into both, and no more is taken.
  send(pipe.write.get(), text);
  CHECK(run_until(f.io, [&] { return f.port.offers == InputReader::capacity / InputReader::read_size; }));
  send(pipe.write.get(), text);
  f.settle();
  CHECK(f.port.offers == InputReader::capacity / InputReader::read_size);
  f.port.room = SIZE_MAX;
  f.reader.room();
  CHECK(run_until(f.io, [&] { return f.port.received.size() >= 2 * text.size(); }));
  CHECK(f.port.received == text + text);
}

TEST_CASE("with a filter, input is read even if the port takes nothing and all buffers are full") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.port.room = 0;
  std::size_t typed_total = 0;
  f.reader.attach(pipe.read.get(), [&](auto typed, auto to_guest) {
    typed_total += typed.size();
    std::copy(typed.begin(), typed.end(), to_guest.begin());
    return typed.size();
  });
  f.start();
  const std::string text = pattern(InputReader::capacity);
  send(pipe.write.get(), text);
  CHECK(run_until(f.io, [&] { return typed_total == text.size(); }));
  send(pipe.write.get(), "dropped");
  CHECK(run_until(f.io, [&] { return typed_total == text.size() + 7; }));
  f.port.room = SIZE_MAX;
  f.reader.room();
  CHECK(run_until(f.io, [&] { return f.port.received.size() >= text.size(); }));
  f.settle();
  CHECK(f.port.received == text);
}

TEST_CASE("the end of the input is told once, after its last bytes") {
  Fixture f;
  FdPair pipe = make_pipe();
  f.reader.attach(pipe.read.get());
  f.start();
  send(pipe.write.get(), "last");
  pipe.write.reset();
  CHECK(run_until(f.io, [&] { return f.ends == 1; }));
  f.settle();
  CHECK(f.ends == 1);
  CHECK(f.port.received == "last");
}

TEST_CASE("files that cannot be polled are read to their end") {
  Fixture f;
  const TemporaryDirectory directory;
  const UniqueFd file(::open(directory.file("in").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const std::string text = pattern(10'000);
  send(file.get(), text);
  REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  f.reader.attach(file.get());
  f.start();
  CHECK(run_until(f.io, [&] { return f.ends == 1; }));
  CHECK(f.port.received == text);
}

TEST_CASE("a descriptor that is not open is an input that has ended") {
  Fixture f;
  f.reader.attach(-1);
  f.start();
  CHECK(run_until(f.io, [&] { return f.ends == 1; }));
}
