#include "trace/exit_tracer.hpp"

#include <algorithm>

namespace kvmbench::trace {

TracerRoom TracerRoom::for_vcpus(std::uint32_t vcpus) noexcept {
  constexpr std::uint32_t reasons_of_a_vcpu = 32;
  constexpr std::uint32_t most = 65'535;  // their numbers have 16 bits
  vcpus = std::clamp<std::uint32_t>(vcpus, 1, 4096);
  return {.threads = vcpus + 8,
          .reasons = std::min(vcpus * reasons_of_a_vcpu + 64, most),
          .details = std::min(vcpus * 512u + 4096, 65'536u)};
}

std::string ExitTracer::obstacle() {
  try {
    const ExitTracer tracer(Whose::chosen_processes, {.threads = 1, .reasons = 1, .details = 1});
    return {};
  } catch (const TracingUnavailable& why) {
    return why.what();
  }
}

}  // namespace kvmbench::trace
