/// The tracer of a build that lacked what it is made of.
#include "trace/exit_tracer.hpp"

namespace kvmbench::trace {

class ExitTracer::Programs final {};

ExitTracer::ExitTracer(Whose, const TracerRoom&) {
  throw TracingUnavailable(
      "this kvmbench was built without its tracer: building it takes clang, bpftool and libbpf-dev");
}

ExitTracer::~ExitTracer() = default;

// Never reached: there is no object to call them on.
void ExitTracer::add(pid_t) {}
void ExitTracer::remove(pid_t) noexcept {}
const TracedMemory& ExitTracer::memory() const noexcept {
  static const TracedMemory none({}, {}, {});
  return none;
}
UsedRecords ExitTracer::used() const noexcept {
  return {};
}
std::uint64_t ExitTracer::events_without_thread() const noexcept {
  return 0;
}
std::uint64_t ExitTracer::missed_events() const noexcept {
  return 0;
}
const std::vector<std::string>& ExitTracer::absent_events() const noexcept {
  static const std::vector<std::string> none;
  return none;
}

}  // namespace kvmbench::trace
