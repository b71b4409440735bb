#include "hostio/output_writer.hpp"

#include <boost/asio/post.hpp>
#include <cerrno>
#include <thread>

#include "support.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  boost::asio::io_context io;
  int error = 0;
  OutputWriter writer{io, [this](int e) {
                        error = e;
                        writer.detach();
                        writer.queue().discard();
                      }};
};

}  // namespace

TEST_CASE("output reaches a pipe, whose file description stays blocking even while it is full") {
  Fixture f;
  const FdPair pipe = make_pipe();
  const std::size_t before = fill(pipe.write.get());
  f.writer.attach(pipe.write.get());
  put(f.writer.queue(), "hello");
  f.io.run_for(5ms);
  CHECK_FALSE(non_blocking(pipe.write.get()));
  CHECK(f.writer.queue().size() == 5);
  f.io.restart();
  CHECK(f.io.poll() == 0);  // it sleeps until the reader reads
  CHECK(run_until_read(f.io, pipe.read.get(), std::string(before, '\0') + "hello"));
  CHECK_FALSE(non_blocking(pipe.write.get()));
}

TEST_CASE("more bursts follow the first one after pauses of any length") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.writer.attach(pipe.write.get());
  for (const std::string burst : {"one", "two", "three"}) {
    put(f.writer.queue(), burst);
    CHECK(run_until_read(f.io, pipe.read.get(), burst));
    put(f.writer.queue(), burst);  // while the writer has not come to rest
    CHECK(run_until_read(f.io, pipe.read.get(), burst));
    CHECK(run_until(f.io, [&] { return f.writer.queue().rest(); }));
  }
}

TEST_CASE("a guest faster than its reader waits, and no byte is lost") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.writer.attach(pipe.write.get());
  const std::string text = pattern(4 * OutputQueue::capacity);
  std::thread vcpu([&] { put(f.writer.queue(), text); });
  std::thread io([&] { f.io.run(); });
  std::string received;
  while (received.size() < text.size()) {
    received += available(pipe.read.get());
    std::this_thread::yield();
  }
  vcpu.join();
  f.io.stop();
  io.join();
  CHECK(received == text);
}

TEST_CASE("close() lets a guest go on whose reader has stalled") {
  Fixture f;
  const FdPair pipe = make_pipe();
  f.writer.attach(pipe.write.get());
  std::thread io([&] { f.io.run(); });
  constexpr std::size_t total = 8 * OutputQueue::capacity;
  std::thread vcpu([&] { put(f.writer.queue(), std::string(total, 'x')); });
  f.writer.queue().close();
  vcpu.join();
  f.io.stop();
  io.join();
  const std::size_t in_pipe = available(pipe.read.get()).size();
  CHECK(in_pipe + f.writer.queue().size() + f.writer.queue().lost() == total);
}

TEST_CASE("a closed pipe is an error that is told once, and the guest goes on") {
  Fixture f;
  FdPair pipe = make_pipe();
  pipe.read.reset();
  f.writer.attach(pipe.write.get());
  put(f.writer.queue(), "hello");
  CHECK(run_until(f.io, [&] { return f.error != 0; }));
  CHECK(f.error == EPIPE);
  put(f.writer.queue(), std::string(2 * OutputQueue::capacity, 'x'));
  CHECK(f.writer.queue().lost() == 5 + 2 * OutputQueue::capacity);
}

TEST_CASE("a device without room is an error") {
  Fixture f;
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  f.writer.attach(full.get());
  put(f.writer.queue(), "hello");
  CHECK(run_until(f.io, [&] { return f.error != 0; }));
  CHECK(f.error == ENOSPC);
}

TEST_CASE("files that cannot be polled are written all the same") {
  Fixture f;
  const TemporaryDirectory directory;
  const UniqueFd file(::open(directory.file("out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  REQUIRE(file);
  f.writer.attach(file.get());
  const std::string text = pattern(OutputQueue::capacity);
  put(f.writer.queue(), text);
  CHECK(f.writer.drain());
  REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  std::string written(text.size() + 1, '\0');
  CHECK(::read(file.get(), written.data(), written.size()) == static_cast<ssize_t>(text.size()));
  CHECK(written.compare(0, text.size(), text) == 0);
  f.writer.attach(null.get());
  put(f.writer.queue(), text);
  CHECK(f.writer.drain());
  CHECK(f.error == 0);
}

TEST_CASE("drain writes everything to a slow reader, also when the loop was stopped before") {
  Fixture f;
  const FdPair pipe = make_pipe();
  const std::size_t before = fill(pipe.write.get());
  f.writer.attach(pipe.write.get());
  const std::string text = pattern(OutputQueue::capacity);
  put(f.writer.queue(), text);
  f.io.stop();
  std::string received;
  std::thread reader([&] {
    while (received.size() < before + text.size()) {
      std::array<char, 1000> bytes;
      const ssize_t count = ::read(pipe.read.get(), bytes.data(), bytes.size());
      if (count <= 0) break;
      received.append(bytes.data(), static_cast<std::size_t>(count));
    }
  });
  CHECK(f.writer.drain());
  reader.join();
  CHECK(received == std::string(before, '\0') + text);
}

TEST_CASE("after close, drain gives up on a reader that takes nothing") {
  Fixture f;
  const FdPair pipe = make_pipe();
  fill(pipe.write.get());
  f.writer.attach(pipe.write.get());
  put(f.writer.queue(), "hello");
  f.writer.queue().close();
  CHECK_FALSE(f.writer.drain(10ms));
  CHECK(f.writer.queue().size() == 5);
}

TEST_CASE("close or a stopped loop ends a drain that waits without limit") {
  Fixture f;
  const FdPair pipe = make_pipe();
  fill(pipe.write.get());
  f.writer.attach(pipe.write.get());
  put(f.writer.queue(), "hello");
  SECTION("close") {
    boost::asio::post(f.io, [&] { f.writer.queue().close(); });
  }
  SECTION("stop") {
    boost::asio::post(f.io, [&] { f.io.stop(); });
  }
  CHECK_FALSE(f.writer.drain());
}

TEST_CASE("without a descriptor there is nothing to drain, and what was kept goes to the next one") {
  Fixture f;
  put(f.writer.queue(), "kept");
  CHECK(f.writer.drain());
  f.io.run_for(5ms);
  const FdPair pipe = make_pipe();
  f.writer.attach(pipe.write.get());
  put(f.writer.queue(), " and new");
  CHECK(run_until_read(f.io, pipe.read.get(), "kept and new"));
}
