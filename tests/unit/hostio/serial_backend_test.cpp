#include "hostio/serial_backend.hpp"

#include <thread>

#include "base/error.hpp"
#include "support.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

TEST_CASE("every kind of serial port is opened by its name") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  CHECK(SerialBackend::open(io, "null", [] {})->notice().empty());
  CHECK(SerialBackend::open(io, "stdio", [] {}) != nullptr);
  CHECK(SerialBackend::open(io, "pty", [] {})->notice().starts_with("serial port at /dev/pts/"));
  const std::string socket = directory.file("socket");
  CHECK(SerialBackend::open(io, "unix:" + socket, [] {})->notice() == "serial port at " + socket);
  SerialBackend::open(io, "file:" + directory.file("a:b"), [] {});
  CHECK(std::filesystem::exists(directory.file("a:b")));
}

TEST_CASE("an unknown serial port is an error of use that names those known") {
  boost::asio::io_context io;
  for (const std::string spec : {"", "tcp:1234", "stdio:", "nullx", "file", "unix", "FILE:x"}) {
    CHECK_THROWS_AS(SerialBackend::open(io, spec, [] {}), UsageError);
  }
  CHECK_THROWS_WITH(SerialBackend::open(io, "tcp:1", [] {}), Catch::Contains("unix:PATH"));
}

TEST_CASE("the null port takes any amount of output and has none to drain") {
  boost::asio::io_context io;
  const auto backend = SerialBackend::open(io, "null", [] {});
  put(backend->sink(), std::string(1'000'000, 'x'));
  backend->close();
  backend->drain();
}

TEST_CASE("a vCPU that writes and makes room, the I/O thread and a stop go together") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  const std::string path = directory.file("serial.log");
  const auto backend = SerialBackend::open(io, "file:" + path, [] {});
  backend->start([](std::span<const std::uint8_t> bytes) { return bytes.size(); });
  std::thread vcpu([&] {
    for (int i = 0; i < 300'000; ++i) {
      backend->sink().put('x');
      if (i % 1000 == 0) backend->room();
    }
    io.stop();
  });
  io.run();
  vcpu.join();
  backend->drain();
  CHECK(std::filesystem::file_size(path) == 300'000);
}
