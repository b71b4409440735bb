#include "hostio/unix_listener.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

UsageError cannot_listen(const std::string& path, const char* why) {
  return UsageError(fmt::format("cannot listen on '{}': {}", path, why));
}

UniqueFd make_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw HostError::from_errno("socket");
  return fd;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) throw UsageError("the serial port's socket has no path: give unix:PATH");
  if (path.size() >= sizeof address.sun_path) {
    throw cannot_listen(path, "a socket's path has at most 107 bytes; give a shorter one");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode))
    throw cannot_listen(path, "there is a file that is not a socket; give another path");
  const UniqueFd probe = make_socket();
  const bool connected =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (connected || errno == EAGAIN || errno == EPROTOTYPE) {
    throw cannot_listen(path, "another program uses this socket; give another path");
  }
  if (errno != ECONNREFUSED) throw cannot_listen(path, std::strerror(errno));
  ::unlink(path.c_str());
}

}  // namespace

UnixListener::UnixListener(const std::string& path) : path_(path) {
  const sockaddr_un address = address_of(path);
  remove_stale(path, address);
  fd_ = make_socket();
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw cannot_listen(path, std::strerror(errno));
  }
  struct stat status {};
  if (::listen(fd_.get(), 1) != 0 || ::lstat(path.c_str(), &status) != 0) throw HostError::from_errno(path);
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

UnixListener::~UnixListener() {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

UniqueFd UnixListener::accept() noexcept {
  return UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

}  // namespace kvmbench::hostio
