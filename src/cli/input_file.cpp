#include "cli/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace kvmbench::cli {

InputFile::InputFile(const std::string& path) {
  const auto refuse = [&path](const char* why) {
    throw UsageError(fmt::format("cannot read {}: {}", path, why));
  };
  // O_NONBLOCK: a pipe that nobody writes to is refused below, not waited for.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) refuse(std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) refuse(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) refuse("it is a directory");
  if (!S_ISREG(status.st_mode)) refuse("it is not a regular file");
  if (status.st_size == 0) refuse("it is empty");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (at == MAP_FAILED) refuse(std::strerror(errno));
  bytes_ = {static_cast<const std::byte*>(at), size};
}

InputFile::InputFile(InputFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

InputFile::~InputFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace kvmbench::cli
