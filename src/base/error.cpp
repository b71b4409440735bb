#include "base/error.hpp"

#include <cerrno>
#include <cstring>

namespace kvmbench {

HostError HostError::from_errno(const std::string& what) {
  const int error = errno;
  return HostError(what + ": " + std::strerror(error));
}

}  // namespace kvmbench
