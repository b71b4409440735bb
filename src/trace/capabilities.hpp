/// Which privileges this process has. (capabilities(7))
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace kvmbench::trace {

enum class Capability : unsigned {
  dac_read_search = 2,
  sys_ptrace = 19,
  sys_admin = 21,
  perfmon = 38,
  bpf = 39
};

/// "CapEff:" of /proc/PID/status.
[[nodiscard]] std::optional<std::uint64_t> effective_capabilities(std::string_view status);

/// The names of those of `wanted` that are not in effect: "CAP_BPF and CAP_PERFMON"; "" where none is
/// missing. CAP_SYS_ADMIN stands for both of these.
[[nodiscard]] std::string missing_capabilities(std::initializer_list<Capability> wanted,
                                               std::uint64_t effective);
/// In this process.
[[nodiscard]] std::string missing_capabilities(std::initializer_list<Capability> wanted);

}  // namespace kvmbench::trace
