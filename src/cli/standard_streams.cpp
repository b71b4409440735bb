#include "cli/standard_streams.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>

#include "base/error.hpp"

namespace kvmbench::cli {

void fill_closed_streams() noexcept {
  int fd = STDIN_FILENO;
  while (fd <= STDERR_FILENO) {
    // The lowest number that is free (open(2)).
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return;
    ++fd;
  }
}

void tell(std::string_view message) noexcept {
  constexpr std::string_view prefix = "kvmbench: ", end = "\n";
  std::array<iovec, 3> parts{};
  std::size_t i = 0;
  for (const std::string_view part : {prefix, message, end})
    parts[i++] = {.iov_base = const_cast<char*>(part.data()), .iov_len = part.size()};
  // Whole, so that lines of several runs into one file do not mix.
  [[maybe_unused]] const ssize_t written = ::writev(STDERR_FILENO, parts.data(), static_cast<int>(i));
}

void tell_once(const std::string& message) {
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  if (told.insert(message).second) tell(message);
}

void flush_stdout() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw HostError::from_errno("cannot write to stdout");
}

}  // namespace kvmbench::cli
