#include "hostio/network/socket_port.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "../support.hpp"
#include "base/error.hpp"
#include "frames.hpp"
#include "hostio/network/frame_vector.hpp"

using namespace kvmbench;
using namespace kvmbench::hostio;

namespace {

/// A port, and the other end of its socket.
struct Fixture {
  Fixture() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    peer = UniqueFd(fds[0]);
    port = std::make_unique<SocketPort>(UniqueFd(fds[1]), "test");
  }
  void write(std::span<const std::byte> bytes) const {
    REQUIRE(::write(peer.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  /// All that the port's next() has now.
  std::vector<Bytes> frames() const {
    std::vector<Bytes> all;
    while (const auto frame = port->next()) all.push_back(copy(frame->bytes));
    return all;
  }
  Bytes read_now() const {
    const std::string text = available(peer.get());
    return copy(std::as_bytes(std::span(text)));
  }

  UniqueFd peer;
  std::unique_ptr<SocketPort> port;
};

}  // namespace

TEST_CASE("a frame goes out behind its length, as four big-endian bytes") {
  const Fixture f;
  CHECK(send_bytes(*f.port, hex("aabbcc")));
  CHECK(f.read_now() == hex("00000003 aabbcc"));
  const Bytes longest = numbered(max_frame_size);
  CHECK(send_bytes(*f.port, longest));
  const Bytes read = f.read_now();
  REQUIRE(read.size() == 4 + max_frame_size);
  CHECK(Bytes(read.begin(), read.begin() + 4) == hex("00010011"));
  CHECK(Bytes(read.begin() + 4, read.end()) == longest);
}

TEST_CASE("a frame in many pieces goes out as one") {
  const Fixture f;
  for (const std::size_t count : {std::size_t{2}, FrameVector::max_pieces, FrameVector::max_pieces + 1}) {
    const Bytes bytes = numbered(count * 3);
    std::vector<std::span<const std::byte>> pieces;
    for (std::size_t i = 0; i < count; ++i) pieces.push_back(std::span(bytes).subspan(i * 3, 3));
    CHECK(f.port->send({.header = {}, .pieces = pieces}));
    const Bytes read = f.read_now();
    REQUIRE(read.size() == 4 + bytes.size());
    CHECK(Bytes(read.begin() + 4, read.end()) == bytes);
  }
}

TEST_CASE("two frames come in whole wherever the stream between them is cut") {
  const Bytes stream = hex("00000003 010203 00000002 0405");
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const Fixture f;
    const auto first = std::span(stream).first(cut);
    if (!first.empty()) f.write(first);
    std::vector<Bytes> frames = f.frames();
    CHECK(frames.size() == (cut >= 13 ? 2u : cut >= 7 ? 1u : 0u));
    if (cut < stream.size()) f.write(std::span(stream).subspan(cut));
    for (Bytes& frame : f.frames()) frames.push_back(std::move(frame));
    REQUIRE(frames.size() == 2);
    CHECK(frames[0] == hex("010203"));
    CHECK(frames[1] == hex("0405"));
  }
}

TEST_CASE("the longest frames come in one after the other, byte by byte or at once") {
  const Fixture f;
  const Bytes longest = numbered(max_frame_size);
  Bytes stream = hex("00010011");
  stream.insert(stream.end(), longest.begin(), longest.end());
  for (int i = 0; i < 10; ++i) {
    std::size_t seen = 0;
    for (std::size_t at = 0; at < stream.size(); at += 9973) {
      f.write(std::span(stream).subspan(at, std::min<std::size_t>(9973, stream.size() - at)));
      for (const Bytes& frame : f.frames()) {
        ++seen;
        CHECK(frame == longest);
      }
    }
    CHECK(seen == 1);
  }
}

TEST_CASE("frames without a byte are passed over") {
  const Fixture f;
  f.write(hex("00000000 00000000 00000001 aa"));
  CHECK(f.frames() == Frames{hex("aa")});
}

TEST_CASE("a length that no frame has takes the link down, without being waited for") {
  for (const char* length : {"00010012", "ffffffff", "80000000", "7fffffff"}) {
    const Fixture f;
    f.write(hex(length));
    CHECK(f.port->link_up());
    CHECK(f.frames().empty());
    CHECK_FALSE(f.port->link_up());
    CHECK(f.port->watch().fd == -1);
    CHECK_FALSE(send_bytes(*f.port, hex("01")));
    CHECK(f.read_now().empty());
  }
}

TEST_CASE("a peer that hangs up takes the link down after its last frame") {
  Fixture f;
  f.write(hex("00000001 aa 00000004 0102"));
  f.peer.reset();
  CHECK(f.frames() == Frames{hex("aa")});
  CHECK_FALSE(f.port->link_up());
  CHECK_FALSE(send_bytes(*f.port, hex("01")));
  CHECK(f.frames().empty());
}

TEST_CASE("a frame to a peer that has hung up is dropped, before anybody has noticed") {
  Fixture f;
  f.peer.reset();
  CHECK_FALSE(send_bytes(*f.port, hex("01")));
}

TEST_CASE("what the peer does not take waits; what the queue has no room for is dropped whole") {
  const Fixture f;
  WakeEvent wake;
  f.port->set_wake(wake);
  const auto rang = [&] {
    pollfd query{.fd = wake.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&query, 1, 0) == 1;
  };
  const Bytes frame = numbered(60'000);
  std::size_t taken = 0;
  while (send_bytes(*f.port, frame)) {
    ++taken;
    if (taken == 1) CHECK_FALSE(rang());
  }
  CHECK(rang());
  CHECK(taken >= ByteRing::capacity / frame.size());
  CHECK(f.port->watch().writable);
  Bytes stream;
  while (f.port->watch().writable) {
    const Bytes more = f.read_now();
    stream.insert(stream.end(), more.begin(), more.end());
    f.port->writable();
  }
  const Bytes rest = f.read_now();
  stream.insert(stream.end(), rest.begin(), rest.end());
  REQUIRE(stream.size() == taken * (4 + frame.size()));
  bool whole = true;
  for (std::size_t i = 0; i < taken; ++i) {
    const auto at = stream.begin() + static_cast<std::ptrdiff_t>(i * (4 + frame.size()));
    whole = whole && Bytes(at, at + 4) == hex("0000ea60") && std::equal(frame.begin(), frame.end(), at + 4);
  }
  CHECK(whole);
  CHECK(send_bytes(*f.port, hex("01")));
  CHECK(f.read_now() == hex("00000001 01"));
}

TEST_CASE("what waits for a peer that goes away is given up") {
  Fixture f;
  while (send_bytes(*f.port, numbered(60'000))) {
  }
  f.peer.reset();
  f.port->writable();
  CHECK_FALSE(f.port->watch().writable);
}

TEST_CASE("a socket that nobody listens on, or whose path cannot be, is an error of use") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH(SocketPort(directory.file("none")), Catch::Contains("none") && Catch::Contains("passt"));
  CHECK_THROWS_AS(SocketPort(directory.file("none")), UsageError);
  CHECK_THROWS_WITH(SocketPort(std::string(108, 'x')), Catch::Contains("107 bytes"));
  CHECK_THROWS_AS(SocketPort(""), UsageError);
}

TEST_CASE("the port connects to who listens at its path") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  SocketPort port(path);
  const UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
  REQUIRE(::write(peer.get(), "\0\0\0\1x", 5) == 5);
  const auto frame = port.next();
  REQUIRE(frame.has_value());
  CHECK(copy(frame->bytes) == hex("78"));
}
