#include "hostio/file_backend.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "support.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a file is made, or emptied, and has all output after drain") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  const std::string path = directory.file("serial.log");
  SECTION("new") {}
  SECTION("existing") {
    std::ofstream(path) << std::string(1000, 'o');
  }
  FileBackend backend(io, path);
  put(backend.sink(), "hello");
  backend.drain();
  CHECK(contents(path) == "hello");
  CHECK(backend.loss().empty());
}

TEST_CASE("a FIFO with a reader is written") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  const std::string path = directory.file("fifo");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const UniqueFd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  FileBackend backend(io, path);
  put(backend.sink(), "hello");
  CHECK(run_until_read(io, reader.get(), "hello"));
}

TEST_CASE("a path that cannot take output is an error of use, which says why") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  const std::string fifo = directory.file("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THROWS_AS(FileBackend(io, directory.file(".")), UsageError);
  CHECK_THROWS_AS(FileBackend(io, directory.file("missing/serial.log")), UsageError);
  CHECK_THROWS_AS(FileBackend(io, ""), UsageError);
  CHECK_THROWS_WITH(FileBackend(io, fifo), Catch::Contains("nobody reads"));
  CHECK_THROWS_WITH(FileBackend(io, "/dev/full"), Catch::Contains("not a regular file"));
  CHECK_NOTHROW(FileBackend(io, "/dev/null"));
}
