/// A listening Unix stream socket that owns its place in the file system.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.hpp"

namespace kvmbench::hostio {

class UnixListener final {
 public:
  /// Replaces a socket that nobody listens on any more. Throws UsageError for a path that is too long, that
  /// another program listens on, or that is something else than a socket.
  explicit UnixListener(const std::string& path);
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;
  /// Removes the socket, unless something else has taken its place.
  ~UnixListener();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// The next client, non-blocking; empty, with errno set, if there is none.
  [[nodiscard]] UniqueFd accept() noexcept;

 private:
  std::string path_;
  UniqueFd fd_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace kvmbench::hostio
