// The other end of a network card's stream socket, for kvmbench and QEMU alike: answers frames as --net echo
// does.
//
//   frame_echo PATH
//
// Listens on a Unix socket, prints a line once it does, serves one connection and ends with it. Each frame
// has its length before it, 32 bits in network byte order.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "hostio/network/echo_reply.hpp"

namespace {

constexpr std::size_t length_size = 4;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int accept_one(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) fail("the path is too long");
  std::strcpy(address.sun_path, path);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail(path);
  if (::listen(listener, 1) != 0) fail("listen");
  std::puts("listening");
  std::fflush(stdout);
  const int connection = ::accept(listener, nullptr, nullptr);
  if (connection < 0) fail("accept");
  return connection;
}

std::uint32_t swapped(std::uint32_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

void write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written <= 0) std::exit(0);  // the monitor has ended
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

/// Answers, all at once, the whole frames that the bytes begin with; how many bytes these were.
std::size_t answer(int fd, std::span<std::byte> bytes) {
  static std::array<std::byte, 1 << 20> answers;
  std::size_t used = 0, size = 0;
  while (bytes.size() - used >= length_size) {
    std::uint32_t length;
    std::memcpy(&length, &bytes[used], length_size);
    length = swapped(length);
    if (bytes.size() - used - length_size < length) break;
    const auto frame = bytes.subspan(used + length_size, length);
    used += length_size + length;
    const std::size_t reply = kvmbench::hostio::make_echo_reply(frame);
    if (reply == 0) continue;
    const std::uint32_t prefix = swapped(static_cast<std::uint32_t>(reply));
    std::memcpy(&answers[size], &prefix, length_size);
    std::memcpy(&answers[size + length_size], frame.data(), reply);
    size += length_size + reply;
  }
  write_all(fd, std::span(answers).first(size));
  return used;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: frame_echo PATH\n", stderr);
    return 2;
  }
  const int fd = accept_one(argv[1]);
  static std::array<std::byte, 1 << 20> buffer;  // no smaller than what is answered of it
  std::size_t held = 0;
  for (ssize_t got; (got = ::read(fd, &buffer[held], buffer.size() - held)) > 0;) {
    held += static_cast<std::size_t>(got);
    const std::size_t used = answer(fd, std::span(buffer).first(held));
    std::memmove(buffer.data(), &buffer[used], held - used);
    held -= used;
  }
}
