#include "trace/capabilities.hpp"

#include <charconv>
#include <fstream>
#include <iterator>

namespace kvmbench::trace {
namespace {

std::string_view name_of(Capability capability) {
  switch (capability) {
    case Capability::dac_read_search:
      return "CAP_DAC_READ_SEARCH";
    case Capability::sys_ptrace:
      return "CAP_SYS_PTRACE";
    case Capability::sys_admin:
      return "CAP_SYS_ADMIN";
    case Capability::perfmon:
      return "CAP_PERFMON";
    case Capability::bpf:
      return "CAP_BPF";
  }
  return "?";
}

bool has(std::uint64_t set, Capability capability) {
  return ((set >> static_cast<unsigned>(capability)) & 1) != 0;
}

}  // namespace

std::optional<std::uint64_t> effective_capabilities(std::string_view status) {
  constexpr std::string_view title = "\nCapEff:\t";
  const std::size_t at = status.find(title);
  if (at == std::string_view::npos) return std::nullopt;
  status.remove_prefix(at + title.size());
  std::uint64_t set = 0;
  const auto [end, error] = std::from_chars(status.data(), status.data() + status.size(), set, 16);
  return error == std::errc{} ? std::optional(set) : std::nullopt;
}

std::string missing_capabilities(std::initializer_list<Capability> wanted, std::uint64_t effective) {
  std::string names;
  for (const Capability capability : wanted) {
    const bool implied = (capability == Capability::bpf || capability == Capability::perfmon) &&
                         has(effective, Capability::sys_admin);
    if (implied || has(effective, capability)) continue;
    if (!names.empty()) names += " and ";
    names += name_of(capability);
  }
  return names;
}

std::string missing_capabilities(std::initializer_list<Capability> wanted) {
  std::ifstream file("/proc/self/status");
  const std::string status{std::istreambuf_iterator<char>(file), {}};
  return missing_capabilities(wanted, effective_capabilities(status).value_or(0));
}

}  // namespace kvmbench::trace
