/// The errors that end a command. Each message names the thing, what was wrong with it and what to do; the
/// exit status follows from the type. Nothing on the path of an exit throws.
#pragma once

#include <stdexcept>
#include <string>

namespace kvmbench {

/// What the user gave cannot be used: an option, an image, a file (exit status 2).
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The host cannot do what was asked: KVM missing, a capability absent, a system call refused (exit status
/// 4).
class HostError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

  /// "WHAT: <text of errno>", with the errno of the call that has just failed.
  static HostError from_errno(const std::string& what);
};

}  // namespace kvmbench
