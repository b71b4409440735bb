#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "report/formats.hpp"

namespace kvmbench::report {
namespace {

UsageError failure(const std::string& path, const std::string& doing, int error) {
  return UsageError(fmt::format("cannot write report {}: {}: {}", path, doing, std::strerror(error)));
}

/// 0 or errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// A device or a pipe cannot be replaced: it is written to.
void write_in_place(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) throw failure(path, "cannot open it for writing", errno);
  if (const int error = write_all(fd.get(), text)) throw failure(path, "writing failed", error);
}

/// A new file beside `path`, gone again unless it was renamed.
class TemporaryFile final {
 public:
  explicit TemporaryFile(const std::string& path) {
    constexpr int attempts = 100;  // a name is taken only where a process of the same number died
    for (int i = 0; i < attempts && !fd_; ++i) {
      name_ = fmt::format("{}.{}-{}", path, ::getpid(), i);
      fd_.reset(::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (!fd_ && errno != EEXIST) break;
    }
    if (!fd_) throw failure(path, "cannot create a file beside it", errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) ::unlink(name_.c_str());
  }

  [[nodiscard]] int fd() const { return fd_.get(); }

  /// False with errno set if that failed.
  [[nodiscard]] bool rename_to(const std::string& path) {
    renamed_ = ::rename(name_.c_str(), path.c_str()) == 0;
    return renamed_;
  }

 private:
  std::string name_;
  UniqueFd fd_;
  bool renamed_ = false;
};

/// Owner and permissions of the file that it replaces. Only root can give a file away: for anybody else it is
/// theirs already or becomes theirs.
void adopt(const std::string& path, const struct stat& old, int fd) {
  if (::fchown(fd, old.st_uid, old.st_gid) != 0 && errno != EPERM)
    throw failure(path, "cannot keep its owner", errno);
  if (::fchmod(fd, old.st_mode & 0777) != 0) throw failure(path, "cannot keep its permissions", errno);
}

}  // namespace

void write_file(const std::string& path, std::string_view text) {
  struct stat old {};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) throw failure(path, "name a file", EISDIR);
  if (exists && !S_ISREG(old.st_mode)) return write_in_place(path, text);

  std::error_code unresolved;
  const std::filesystem::path resolved = std::filesystem::canonical(path, unresolved);
  const std::string target = unresolved ? path : resolved.string();

  TemporaryFile temporary(target);
  if (exists) adopt(path, old, temporary.fd());
  if (const int error = write_all(temporary.fd(), text)) throw failure(path, "writing failed", error);
  // Without this, a crash of the host can leave the new name with nothing in it.
  if (::fsync(temporary.fd()) != 0) throw failure(path, "writing failed", errno);
  if (!temporary.rename_to(target)) throw failure(path, "cannot rename the new file to it", errno);
}

}  // namespace kvmbench::report
