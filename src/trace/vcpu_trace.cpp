#include "trace/vcpu_trace.hpp"

#include <unistd.h>

namespace kvmbench::trace {

VcpuTrace::VcpuTrace(const ExitTracer& tracer, std::uint32_t vcpu, std::uint64_t tsc_khz) noexcept
    : tracer_(tracer), process_(::getpid()), vcpu_(vcpu), tsc_khz_(tsc_khz) {}

const trace_thread* VcpuTrace::thread() const noexcept {
  if (thread_ == nullptr) thread_ = tracer_.memory().find(tracer_.used(), process_, vcpu_);
  return thread_;
}

stats::Cycles VcpuTrace::to_cycles(std::uint64_t nanoseconds) const noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<stats::Cycles>(Wide{nanoseconds} * tsc_khz_ / 1'000'000);
}

stats::Tally VcpuTrace::tally(std::uint32_t reason) const noexcept {
  const trace_thread* traced = thread();
  const trace_record* record = traced == nullptr ? nullptr : tracer_.memory().find(*traced, reason);
  if (record == nullptr) return {};
  return {read_shared(record->count), to_cycles(read_shared(record->out.sum))};
}

stats::Spread VcpuTrace::spread(std::uint32_t reason) const noexcept {
  const trace_thread* traced = thread();
  const trace_record* record = traced == nullptr ? nullptr : tracer_.memory().find(*traced, reason);
  if (record == nullptr) return {};
  const stats::TimeStats times = copy(record->out);
  return {to_cycles(times.min), to_cycles(times.quantile(0.5)), to_cycles(times.quantile(0.99)),
          to_cycles(times.max)};
}

stats::Cycles VcpuTrace::cycles() const noexcept {
  std::uint64_t nanoseconds = 0;
  if (const trace_thread* traced = thread()) {
    tracer_.memory().each_record(
        *traced, [&](const trace_record& record) { nanoseconds += read_shared(record.out.sum); });
  }
  return to_cycles(nanoseconds);
}

std::size_t VcpuTrace::list(std::span<stats::ReasonTally> to) const noexcept {
  std::size_t found = 0;
  const trace_thread* traced = thread();
  if (traced == nullptr) return 0;
  tracer_.memory().each_record(*traced, [&](const trace_record& record) {
    const std::uint64_t count = read_shared(record.count);
    if (count == 0) return;
    if (found < to.size()) to[found] = {record.reason, {count, to_cycles(read_shared(record.out.sum))}};
    ++found;
  });
  return found;
}

}  // namespace kvmbench::trace
