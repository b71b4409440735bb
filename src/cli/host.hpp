/// kvmbench host: what this host is, and what its KVM can do.
#pragma once

namespace kvmbench::cli {

/// Prints the facts, then the capabilities. 0, or 4 where KVM cannot be used (and it says why).
[[nodiscard]] int host();

}  // namespace kvmbench::cli
