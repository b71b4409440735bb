#include "experiments/scratch_file.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"

namespace kvmbench::experiments {

ScratchFile::ScratchFile(const std::string& purpose, std::uint64_t bytes)
    : file_(::memfd_create(("kvmbench " + purpose).c_str(), MFD_CLOEXEC)) {
  if (!file_) throw HostError::from_errno("cannot make a file in memory (memfd_create)");
  if (::ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0)
    throw HostError::from_errno(fmt::format("cannot give a file in memory {} bytes", bytes));
}

std::string ScratchFile::path() const {
  return fmt::format("/proc/self/fd/{}", file_.get());
}

std::string ScratchFile::text(std::size_t most) const {
  std::string text;
  text.resize(most);
  std::size_t size = 0;
  while (size < most) {
    const ssize_t got = ::pread(file_.get(), text.data() + size, most - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw HostError::from_errno("cannot read a file in memory");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace kvmbench::experiments
