#include "cli/host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "trace/exit_tracer.hpp"
#include "vmm/host_facts.hpp"
#include "vmm/kvm.hpp"

namespace kvmbench::cli {
namespace {

void print_capabilities(const Kvm& kvm) {
  std::size_t widest = 0;
  for (const Capability& capability : capabilities()) widest = std::max(widest, capability.name.size());
  for (const Capability& capability : capabilities()) {
    const int answer = kvm.extension(capability.number);
    fmt::print("  {:<{}}  {:>7}  {}\n", capability.name, widest,
               answer == 0   ? "no"
               : answer == 1 ? "yes"
                             : fmt::to_string(answer),
               capability.purpose);
  }
}

}  // namespace

int host() {
  const HostFacts facts = host_facts();
  std::size_t widest = 0;
  for (const auto& [name, value] : facts) widest = std::max(widest, name.size());
  fmt::print("This host\n");
  for (const auto& [name, value] : facts) fmt::print("  {:<{}}  {}\n", name, widest, value);
  const std::string obstacle = trace::ExitTracer::obstacle();
  fmt::print("\nTracing of hardware exits (run --trace)\n  {}\n", obstacle.empty() ? "possible" : obstacle);
  fmt::print("\nWhat its KVM can do (a figure is a limit, or the bits of what there is)\n");
  try {
    print_capabilities(Kvm());
  } catch (const HostError& error) {
    fmt::print("  nothing: {}\n", error.what());
    return 4;
  }
  return 0;
}

}  // namespace kvmbench::cli
