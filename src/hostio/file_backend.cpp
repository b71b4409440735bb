#include "hostio/file_backend.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace kvmbench::hostio {
namespace {

UsageError cannot_open(const std::string& path, const char* why) {
  return UsageError(fmt::format("cannot write serial output to '{}': {}", path, why));
}

bool is_null_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);  // the kernel's devices.txt
}

UniqueFd open_output(const std::string& path) {
  // Without O_TRUNC: what it is has to be known first.
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666));
  if (!fd && errno == ENXIO) {
    throw cannot_open(path, "it is a FIFO that nobody reads, or a socket; start the FIFO's reader first");
  }
  if (!fd) throw cannot_open(path, std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw cannot_open(path, std::strerror(errno));
  if (S_ISREG(status.st_mode)) {
    if (::ftruncate(fd.get(), 0) != 0) throw cannot_open(path, std::strerror(errno));
  } else if (!S_ISFIFO(status.st_mode) && !is_null_device(status) && !::isatty(fd.get())) {
    throw cannot_open(path, "it is not a regular file, a FIFO or a terminal; give another path");
  }
  return fd;
}

}  // namespace

FileBackend::FileBackend(boost::asio::io_context& io, const std::string& path)
    : StreamBackend(io, path), file_(open_output(path)) {
  writer().attach(file_.get());
}

}  // namespace kvmbench::hostio
