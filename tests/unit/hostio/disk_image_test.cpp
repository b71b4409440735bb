#include "hostio/disk_image.hpp"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <random>

#include "base/error.hpp"
#include "support.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

using Kind = BlockRequest::Kind;

constexpr std::size_t page = 4096;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string make_image(const TemporaryDirectory& directory, const std::string& bytes,
                       const std::string& name = "disk.img") {
  const std::string path = directory.file(name);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// Bytes that the file takes on the host.
std::uint64_t allocated(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

/// One request with buffers of its own.
struct Request final : BlockRequester {
  void completed(BlockRequest&, bool ok) noexcept override { done.set_value(ok); }

  /// Submits it, and waits: whether it succeeded.
  bool run(BlockStorage& storage, Kind kind, std::uint64_t offset, std::uint64_t length) {
    start(storage, kind, offset, length);
    return done.get_future().get();
  }
  void start(BlockStorage& storage, Kind kind, std::uint64_t offset, std::uint64_t length) {
    request.requester = this;
    request.kind = kind;
    request.offset = offset;
    request.length = length;
    request.buffers = buffers;
    storage.submit(request);
  }

  std::vector<iovec> buffers;
  BlockRequest request;
  std::promise<bool> done;
};

bool write(BlockStorage& storage, std::uint64_t offset, std::string bytes) {
  Request request;
  request.buffers = {{bytes.data(), bytes.size()}};
  return request.run(storage, Kind::write, offset, bytes.size());
}

std::string read(BlockStorage& storage, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '?');
  Request request;
  request.buffers = {{bytes.data(), bytes.size()}};
  REQUIRE(request.run(storage, Kind::read, offset, length));
  return bytes;
}

bool control(BlockStorage& storage, Kind kind, std::uint64_t offset = 0, std::uint64_t length = 0,
             bool may_deallocate = false) {
  Request request;
  request.request.may_deallocate = may_deallocate;
  return request.run(storage, kind, offset, length);
}

/// Whether files in the tests' directory can be opened with O_DIRECT.
bool has_direct_io(const TemporaryDirectory& directory) {
  const std::string path = make_image(directory, std::string(page, 'p'), "probe");
  return bool(UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC)));
}

}  // namespace

TEST_CASE("what is written is in the file, and is read back") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, pattern(16 * page));
  std::string expected = pattern(16 * page);
  DiskImage image("disk0", path, false, DiskCache::writeback);
  CHECK(image.size() == 16 * page);
  CHECK_FALSE(image.read_only());
  CHECK(read(image, 512, 3 * 512) == expected.substr(512, 3 * 512));
  REQUIRE(write(image, 5 * 512, std::string(1024, 'w')));
  expected.replace(5 * 512, 1024, 1024, 'w');
  CHECK(read(image, 0, 16 * page) == expected);
  CHECK(contents(path) == expected);
  CHECK(image.trouble().empty());
}

TEST_CASE("buffers of any number and length are gathered and scattered in order") {
  const TemporaryDirectory directory;
  DiskImage image("disk0", make_image(directory, std::string(1 << 20, 'z')), false, DiskCache::writeback);
  std::string bytes = pattern(1 << 20);
  Request writing;
  for (std::size_t at = 0; at < bytes.size();) {  // 2,000 of them, which is more than IOV_MAX
    const std::size_t length = std::min<std::size_t>(at % 3 == 0 ? 523 : 525, bytes.size() - at);
    writing.buffers.push_back({bytes.data() + at, length});
    writing.buffers.push_back({nullptr, 0});
    at += length;
  }
  REQUIRE(writing.buffers.size() > 2 * 1024);
  REQUIRE(writing.run(image, Kind::write, 0, bytes.size()));
  std::string back(bytes.size(), '?');
  Request reading;
  reading.buffers = {{back.data(), 1}, {back.data() + 1, 4095}, {back.data() + 4096, back.size() - 4096}};
  REQUIRE(reading.run(image, Kind::read, 0, back.size()));
  CHECK(back == bytes);
}

TEST_CASE("a request that the disk cannot have fails and changes nothing") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, pattern(4 * 512));
  DiskImage image("disk0", path, false, DiskCache::writeback);
  std::string bytes(4 * 512, 'x');
  const auto fails = [&](Kind kind, std::uint64_t offset, std::uint64_t length, std::size_t buffered) {
    Request request;
    request.buffers = {{bytes.data(), buffered}};
    return !request.run(image, kind, offset, length);
  };
  for (const Kind kind : {Kind::read, Kind::write}) {
    CHECK(fails(kind, 3 * 512, 1024, 1024));                  // past the end
    CHECK(fails(kind, 4 * 512, 512, 512));                    // at the end
    CHECK(fails(kind, ~std::uint64_t{0} - 511, 1024, 1024));  // wraps around
    CHECK(fails(kind, 1, 512, 512));                          // not a sector's start
    CHECK(fails(kind, 0, 100, 100));                          // not whole sectors
    CHECK(fails(kind, 0, 512, 1024));                         // other than the buffers' sum
  }
  CHECK_FALSE(control(image, Kind::discard, 3 * 512, 1024));
  CHECK_FALSE(control(image, Kind::write_zeroes, 4 * 512, 512));
  CHECK(contents(path) == pattern(4 * 512));
}

TEST_CASE("a read-only disk refuses everything that would change it, and reads") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, pattern(8 * 512));
  DiskImage image("disk0", path, true, DiskCache::writeback);
  CHECK(image.read_only());
  CHECK_FALSE(write(image, 0, std::string(512, 'x')));
  CHECK_FALSE(control(image, Kind::discard, 0, 512));
  CHECK_FALSE(control(image, Kind::write_zeroes, 0, 512, true));
  CHECK(control(image, Kind::flush));
  CHECK(read(image, 0, 8 * 512) == pattern(8 * 512));
  CHECK(contents(path) == pattern(8 * 512));
  CHECK_THAT(image.trouble(), Catch::Contains("disk0: 3 requests failed") &&
                                  Catch::Contains("cannot write 512 bytes at byte 0 of '" + path) &&
                                  Catch::Contains("Read-only"));
}

TEST_CASE("discarded ranges and zeroes that need no place take none on the host") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, std::string(1 << 20, 'd'));
  DiskImage image("disk0", path, false, DiskCache::writeback);
  REQUIRE(control(image, Kind::flush));
  const std::uint64_t before = allocated(path);
  REQUIRE(before >= 1 << 20);
  Kind kind = Kind::discard;
  SECTION("discard") {
    kind = Kind::discard;
  }
  SECTION("write zeroes") {
    kind = Kind::write_zeroes;
  }
  REQUIRE(control(image, kind, 64 * page, 64 * page, true));
  CHECK(allocated(path) <= before - 64 * page);
  CHECK(read(image, 64 * page, 64 * page) == std::string(64 * page, '\0'));
  CHECK(read(image, 63 * page, page) == std::string(page, 'd'));
  CHECK(read(image, 128 * page, page) == std::string(page, 'd'));
  CHECK(std::filesystem::file_size(path) == 1 << 20);
}

TEST_CASE("zeroes that keep their place read as zeroes and take as much as before") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, std::string(1 << 20, 'd'));
  DiskImage image("disk0", path, false, DiskCache::writeback);
  REQUIRE(control(image, Kind::flush));
  const std::uint64_t before = allocated(path);
  REQUIRE(control(image, Kind::write_zeroes, 512, 200 * 1024, false));
  REQUIRE(control(image, Kind::flush));
  CHECK(allocated(path) == before);
  CHECK(read(image, 0, 512) == std::string(512, 'd'));
  CHECK(read(image, 512, 200 * 1024) == std::string(200 * 1024, '\0'));
  CHECK(read(image, 512 + 200 * 1024, 512) == std::string(512, 'd'));
}

TEST_CASE("an image stays sparse where nothing is written") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, "");
  std::filesystem::resize_file(path, 1 << 30);
  DiskImage image("disk0", path, false, DiskCache::writeback);
  REQUIRE(write(image, 512 << 20, std::string(page, 'w')));
  REQUIRE(control(image, Kind::flush));
  CHECK(allocated(path) < 1 << 20);
}

TEST_CASE("an image that has become shorter fails where it ends, and nowhere else") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, pattern(16 * page));
  DiskImage image("disk0", path, false, DiskCache::writeback);
  std::filesystem::resize_file(path, 8 * page);
  CHECK(read(image, 0, 8 * page) == pattern(16 * page).substr(0, 8 * page));
  std::string bytes(2 * page, '?');
  for (const std::uint64_t offset : {7 * page, 8 * page, 14 * page}) {
    Request request;
    request.buffers = {{bytes.data(), bytes.size()}};
    CHECK_FALSE(request.run(image, Kind::read, offset, bytes.size()));
  }
  CHECK(image.size() == 16 * page);
  CHECK_THAT(image.trouble(), Catch::Contains("3 requests failed"));
}

TEST_CASE("a write that the host has no place for is a failed request, and the next one is served") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, "");
  std::filesystem::resize_file(path, 16 * page);
  DiskImage image("disk0", path, false, DiskCache::writeback);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{.rlim_cur = 8 * page, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const bool beyond = write(image, 8 * page, std::string(page, 'b'));
  const bool within = write(image, 7 * page, std::string(page, 'w'));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK_FALSE(beyond);
  CHECK(within);
  CHECK_THAT(image.trouble(), Catch::Contains("1 request failed") && Catch::Contains("File too large"));
}

TEST_CASE("an image has one writer, or readers") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, pattern(page));
  SECTION("a writer keeps everybody out") {
    const DiskImage writer("disk0", path, false, DiskCache::writeback);
    CHECK_THROWS_AS(DiskImage("disk1", path, false, DiskCache::writeback), UsageError);
    CHECK_THROWS_WITH(DiskImage("disk1", path, false, DiskCache::writeback),
                      Catch::Contains(path) && Catch::Contains("lock"));
    CHECK_THROWS_AS(DiskImage("disk1", path, true, DiskCache::writeback), UsageError);
  }
  SECTION("readers keep writers out") {
    const DiskImage reader("disk0", path, true, DiskCache::writeback);
    const DiskImage another("disk1", path, true, DiskCache::writeback);
    CHECK_THROWS_AS(DiskImage("disk2", path, false, DiskCache::writeback), UsageError);
  }
  SECTION("whoever has gone keeps nobody out") {
    { const DiskImage writer("disk0", path, false, DiskCache::writeback); }
    CHECK_NOTHROW(DiskImage("disk1", path, false, DiskCache::writeback));
  }
}

TEST_CASE("a file that cannot be a disk is an error of use, which says why") {
  const TemporaryDirectory directory;
  const auto why = [](const std::string& path) {
    try {
      const DiskImage image("disk0", path, false, DiskCache::writeback);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(why(directory.file("missing")), Catch::Contains("No such file"));
  CHECK_THAT(why(directory.file(".")), Catch::Contains("neither a regular file nor a block device"));
  CHECK_THAT(why("/dev/null"), Catch::Contains("neither a regular file nor a block device"));
  CHECK_THAT(why(make_image(directory, "")), Catch::Contains("it is empty"));
  CHECK_THAT(why(make_image(directory, std::string(513, 'x'))), Catch::Contains("513 bytes"));
  const std::string fifo = directory.file("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THAT(why(fifo), Catch::Contains("neither a regular file"));
}

TEST_CASE("without the page cache, buffers of any alignment give the same") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, pattern(256 * page));
  if (!has_direct_io(directory)) {
    CHECK_THROWS_WITH(DiskImage("disk0", path, false, DiskCache::none), Catch::Contains("cache=writeback"));
    return;
  }
  std::string expected = pattern(256 * page);
  DiskImage image("disk0", path, false, DiskCache::none);
  std::string memory(256 * page + 1, '?');
  Request reading;
  reading.buffers = {{memory.data() + 1, 100 * page + 3}, {memory.data() + 100 * page + 4, 156 * page - 3}};
  REQUIRE(reading.run(image, Kind::read, 0, 256 * page));
  CHECK(memory.substr(1) == expected);
  REQUIRE(write(image, 3 * 512, std::string(150 * page, 'w')));
  expected.replace(3 * 512, 150 * page, 150 * page, 'w');
  CHECK(read(image, 0, 256 * page) == expected);
  REQUIRE(control(image, Kind::write_zeroes, 512, 512));
  expected.replace(512, 512, 512, '\0');
  REQUIRE(control(image, Kind::flush));
  CHECK(contents(path) == expected);
}

TEST_CASE("a file of larger blocks takes single sectors, and their neighbours keep what they have") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, pattern(256 * page));
  std::string expected = pattern(256 * page);
  const DiskCache cache = has_direct_io(directory) ? DiskCache::none : DiskCache::writeback;
  const DiskFile file(path, false, cache);
  std::shared_mutex writers;
  DiskIo io(file, writers, {.offset = page, .memory = page});
  const auto perform = [&io](Kind kind, std::uint64_t offset, std::string& bytes) {
    iovec buffer{bytes.data(), bytes.size()};
    BlockRequest request{
        .kind = kind, .offset = offset, .length = bytes.size(), .buffers = std::span(&buffer, 1)};
    return io.perform(request);
  };
  for (const auto& [offset, length] : {std::pair<std::size_t, std::size_t>{512, 512},
                                       {7 * 512, 1024},
                                       {page, page},
                                       {5 * 512, 100 * page},
                                       {255 * page + 512, 3584}}) {
    std::string bytes(length, static_cast<char>('a' + offset % 23));
    REQUIRE(perform(Kind::write, offset, bytes) == 0);
    expected.replace(offset, length, bytes);
    std::string back(length, '?');
    REQUIRE(perform(Kind::read, offset, back) == 0);
    CHECK(back == bytes);
  }
  CHECK(contents(path) == expected);
}

TEST_CASE("requests from several threads are all served, each with its own data") {
  const TemporaryDirectory directory;
  constexpr std::size_t blocks = 64, writers = 4;
  const std::string path = make_image(directory, std::string(blocks * writers * page, '\0'));
  {
    DiskImage image("disk0", path, false, DiskCache::writeback);
    std::vector<std::thread> threads;
    std::atomic<unsigned> failed{0};
    for (std::size_t writer = 0; writer < writers; ++writer) {
      threads.emplace_back([&, writer] {
        std::vector<std::string> data(blocks);
        std::vector<Request> requests(blocks);
        for (std::size_t i = 0; i < blocks; ++i) {
          data[i] = std::string(page, static_cast<char>('A' + (writer * blocks + i) % 50));
          requests[i].buffers = {{data[i].data(), page}};
          requests[i].start(image, Kind::write, (i * writers + writer) * page, page);
        }
        for (Request& request : requests) failed += request.done.get_future().get() ? 0 : 1;
        if (!control(image, Kind::flush)) ++failed;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failed == 0);
  }
  const std::string file = contents(path);
  for (std::size_t block = 0; block < blocks * writers; ++block) {
    const std::size_t number = block % writers * blocks + block / writers;
    const std::string expected(page, static_cast<char>('A' + number % 50));
    REQUIRE(file.compare(block * page, page, expected) == 0);
  }
}

TEST_CASE("a requester may submit again from completed(), and drain waits for it all") {
  struct Chain final : BlockRequester {
    void completed(BlockRequest& done, bool ok) noexcept override {
      if (!ok || ++count == 1000) return;
      done.offset = count % 8 * 512;
      buffer = {bytes.data(), 512};
      done.buffers = std::span(&buffer, 1);
      storage->submit(done);
    }
    BlockStorage* storage = nullptr;
    std::array<char, 512> bytes{};
    iovec buffer{bytes.data(), 512};
    unsigned count = 0;
  };
  const TemporaryDirectory directory;
  DiskImage image("disk0", make_image(directory, pattern(page)), true, DiskCache::writeback);
  Chain chain;
  chain.storage = &image;
  BlockRequest request{
      .requester = &chain, .kind = Kind::read, .length = 512, .buffers = std::span(&chain.buffer, 1)};
  image.submit(request);
  image.drain();
  CHECK(chain.count == 1000);
}

TEST_CASE("what was submitted is served before the image goes") {
  const TemporaryDirectory directory;
  const std::string path = make_image(directory, std::string(64 * page, '\0'));
  std::string bytes = pattern(64 * page);
  std::vector<Request> requests(64);
  {
    DiskImage image("disk0", path, false, DiskCache::writeback);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      requests[i].buffers = {{bytes.data() + i * page, page}};
      requests[i].start(image, Kind::write, i * page, page);
    }
  }
  CHECK(contents(path) == bytes);
}
