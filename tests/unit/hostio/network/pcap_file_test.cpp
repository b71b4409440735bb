#include "hostio/network/pcap_file.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>

#include "../support.hpp"
#include "base/error.hpp"
#include "frames.hpp"
#include "hostio/network/recorded_network.hpp"
#include "hostio/network/sink_network.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

Bytes contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return copy(std::as_bytes(std::span(text)));
}

void record(PcapFile& file, std::span<const std::byte> frame) {
  file.record({.header = {}, .pieces = std::span(&frame, 1)});
}

std::uint32_t word(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  REQUIRE(bytes.size() >= at + sizeof value);
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The frames of a capture file.
std::vector<Bytes> frames_in(const std::string& path) {
  const Bytes file = contents(path);
  std::vector<Bytes> frames;
  for (std::size_t at = 24; at < file.size();) {
    const std::size_t size = word(file, at + 8);
    REQUIRE(file.size() >= at + 16 + size);
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at + 16);
    frames.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(size));
    at += 16 + size;
  }
  return frames;
}

/// While it lives, no file of this process grows beyond `bytes`.
class FileSizeLimit final {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

/// time() is behind CLOCK_REALTIME by up to a timer tick.
std::uint32_t second_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint32_t>(now.tv_sec);
}

}  // namespace

TEST_CASE("a capture file begins with the header of nanosecond Ethernet captures") {
  const TemporaryDirectory directory;
  const PcapFile file(directory.file("pcap"));
  CHECK(contents(directory.file("pcap")) == hex("4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000"));
}

TEST_CASE("each frame has a record: time of day, length twice, bytes") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("pcap");
  PcapFile file(path);
  const auto before = second_now();
  record(file, hex("0102030405"));
  const auto after = second_now();
  const Bytes bytes = contents(path);
  REQUIRE(bytes.size() == 24 + 16 + 5);
  CHECK(word(bytes, 24) >= before);
  CHECK(word(bytes, 24) <= after);
  CHECK(word(bytes, 28) < 1'000'000'000);
  CHECK(word(bytes, 32) == 5);
  CHECK(word(bytes, 36) == 5);
  CHECK(frames_in(path) == Frames{hex("0102030405")});
}

TEST_CASE("frames of any length that can be are recorded, one after the other") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("pcap");
  PcapFile file(path);
  std::vector<Bytes> frames;
  for (const std::size_t size : {std::size_t{1}, std::size_t{60}, std::size_t{1514}, max_frame_size}) {
    frames.push_back(numbered(size));
    record(file, frames.back());
  }
  record(file, {});
  record(file, numbered(max_frame_size + 1));
  CHECK(frames_in(path) == frames);
}

TEST_CASE("a file that was there is emptied") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("pcap");
  std::ofstream(path) << std::string(1000, 'x');
  const PcapFile file(path);
  CHECK(contents(path).size() == 24);
}

TEST_CASE("a write that fails ends the recording behind the last whole frame") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("pcap");
  PcapFile file(path);
  record(file, numbered(100));
  {
    const FileSizeLimit limit(200);  // in the middle of the next frame
    record(file, numbered(100));
  }
  record(file, numbered(100));
  CHECK(frames_in(path) == Frames{numbered(100)});
}

TEST_CASE("a file that cannot be made, or is not a regular one, is an error of use") {
  const TemporaryDirectory directory;
  CHECK_THROWS_AS(PcapFile(directory.file("missing/pcap")), UsageError);
  CHECK_THROWS_WITH(PcapFile("/dev/null"), Catch::Contains("not a regular file"));
  CHECK_THROWS_AS(PcapFile("/"), UsageError);
}

TEST_CASE("a recorded network writes what is sent, and what is received once however often it is offered") {
  /// Offers its card a frame when told to.
  struct Offering final : NetworkBackend {
    bool send(const OutgoingFrame&) noexcept override { return false; }
    void room() noexcept override {}
    [[nodiscard]] NetworkOffloads offloads() const noexcept override { return {.checksum = true}; }
    void accept_offloads(const NetworkOffloads&) noexcept override {}
    [[nodiscard]] bool link_up() const noexcept override { return true; }
    [[nodiscard]] std::uint16_t mtu() const noexcept override { return 1400; }
    void start(FrameReceiver& receiver) override { card = &receiver; }
    void stop() noexcept override {}
    FrameReceiver* card = nullptr;
  };
  const TemporaryDirectory directory;
  const std::string path = directory.file("pcap");
  auto inner = std::make_unique<Offering>();
  Offering& offering = *inner;
  RecordedNetwork network(std::move(inner), path);
  RecordingCard card;
  network.start(card);
  CHECK_FALSE(send_bytes(network, hex("01")));
  card.set_room(0);
  CHECK_FALSE(offering.card->receive({}, hex("02")));
  CHECK_FALSE(offering.card->receive({}, hex("02")));
  card.set_room(2);
  CHECK(offering.card->receive({}, hex("02")));
  CHECK(offering.card->receive({}, hex("03")));
  CHECK(frames_in(path) == Frames{hex("01"), hex("02"), hex("03")});
  CHECK(card.frames() == Frames{hex("02"), hex("03")});
  CHECK(network.offloads() == NetworkOffloads{.checksum = true});
  CHECK(network.mtu() == 1400);
}
