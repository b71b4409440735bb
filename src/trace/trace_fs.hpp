/// The kernel's tracing files, wherever they are. (Documentation/trace/ftrace.rst, "The File System")
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "trace/event_format.hpp"

namespace kvmbench::trace {

/// Tracing cannot be had: what() says which step failed, and which privilege or package would help.
class TracingUnavailable : public HostError {
 public:
  using HostError::HostError;
};

/// The root of one of the kernel's file systems ("tracefs"): at its usual place, where `entry` shows that it
/// is mounted, or else as a mount that nobody else sees, if this process may; empty, with errno, where
/// neither can be.
[[nodiscard]] UniqueFd open_kernel_files(const char* type, const char* usual_place, const char* entry);

class TraceFs final {
 public:
  /// At its usual place, or, where nobody has mounted it and this process may, as a mount that nobody else
  /// sees and that ends with this object. Throws TracingUnavailable.
  TraceFs();
  /// As found at `root`.
  explicit TraceFs(const std::string& root);

  /// The format of an event of the `kvm` group. Throws TracingUnavailable.
  [[nodiscard]] EventFormat kvm_event(std::string_view name) const;

 private:
  UniqueFd root_;
};

}  // namespace kvmbench::trace
