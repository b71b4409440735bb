/// What the tests of host input and output share: descriptors in this process, and an I/O loop under the
/// test's hand.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "devices/character_sink.hpp"

namespace kvmbench::hostio {

struct FdPair {
  UniqueFd read;
  UniqueFd write;
};

inline FdPair make_pipe() {
  std::signal(SIGPIPE, SIG_IGN);
  int fds[2];
  REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

inline bool non_blocking(int fd) {
  return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

inline void put(CharacterSink& sink, std::string_view text) {
  for (const char c : text) sink.put(static_cast<std::uint8_t>(c));
}

inline void send(int fd, std::string_view text) {
  REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

/// What can be read from `fd` now.
inline std::string available(int fd) {
  std::string text;
  pollfd query{.fd = fd, .events = POLLIN, .revents = 0};
  while (::poll(&query, 1, 0) > 0 && (query.revents & POLLIN) != 0) {
    std::array<char, 4096> bytes;
    const ssize_t count = ::read(fd, bytes.data(), bytes.size());
    if (count <= 0) break;
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return text;
}

/// Runs the loop until `done()`; false if that does not come about within a time far beyond any that it can
/// need.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// Runs the loop until `expected` has come out of `fd`.
inline bool run_until_read(boost::asio::io_context& io, int fd, const std::string& expected) {
  std::string text;
  const bool complete = run_until(io, [&] {
    text += available(fd);
    return text.size() >= expected.size();
  });
  return complete && text == expected;
}

/// Writes until `fd` takes nothing more without blocking; returns how much that was.
inline std::size_t fill(int fd) {
  std::size_t total = 0;
  const std::array<char, 4096> zeros{};
  pollfd query{.fd = fd, .events = POLLOUT, .revents = 0};
  while (::poll(&query, 1, 0) > 0) {
    const ssize_t count = ::write(fd, zeros.data(), zeros.size());
    if (count <= 0) break;
    total += static_cast<std::size_t>(count);
  }
  return total;
}

/// Bytes that tell their place: a lost, doubled or moved one shows.
inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i % 251);
  return text;
}

/// An empty directory that is removed with all that is in it.
class TemporaryDirectory final {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "hostio-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A serial port that has room for `room` bytes.
struct Port {
  std::string received;
  std::size_t room = SIZE_MAX;
  int offers = 0;

  std::size_t operator()(std::span<const std::uint8_t> bytes) {
    ++offers;
    const std::size_t taken = std::min(room, bytes.size());
    received.append(reinterpret_cast<const char*>(bytes.data()), taken);
    room -= taken;
    return taken;
  }
};

}  // namespace kvmbench::hostio
