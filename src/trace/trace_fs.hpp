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
