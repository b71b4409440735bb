#include "trace/traced_memory.hpp"

#include <algorithm>

#include "stats/histogram.hpp"

namespace kvmbench::trace {
namespace {

// The programs in the kernel count into the same buckets.
static_assert(TRACE_SUB_BITS == stats::buckets::sub_bits && TRACE_VALUE_BITS == stats::buckets::value_bits &&
              TRACE_BUCKETS == stats::buckets::count);

stats::Vendor vendor_of(trace_u32 isa) noexcept {
  switch (isa) {
    case 1:
      return stats::Vendor::vmx;
    case 2:
      return stats::Vendor::svm;
    default:
      return stats::Vendor::unknown;
  }
}

Direction direction_of(trace_u8 direction) noexcept {
  if (direction == TRACE_READ) return Direction::read;
  return direction == TRACE_WRITE ? Direction::write : Direction::none;
}

std::optional<stats::HardwareDetail> detail_of(const trace_detail_key& key) noexcept {
  using Kind = stats::HardwareDetail::Kind;
  if (key.kind < TRACE_PORT || key.kind > TRACE_HYPERCALL) return std::nullopt;
  static_assert(TRACE_HYPERCALL - TRACE_PORT == static_cast<int>(Kind::hypercall));
  stats::HardwareDetail detail{static_cast<Kind>(key.kind - TRACE_PORT), direction_of(key.direction),
                               key.width, key.value};
  if (detail.kind == Kind::page_fault) detail.value <<= TRACE_FAULT_RANGE_BITS;
  return detail;
}
static_assert(stats::fault_range == std::uint64_t{1} << TRACE_FAULT_RANGE_BITS);

stats::TracedExits header_of(const trace_thread& thread) {
  stats::TracedExits exits;
  exits.vendor = vendor_of(read_shared(thread.isa));
  exits.entries = read_shared(thread.entries);
  exits.emulated = read_shared(thread.emulated);
  exits.without_reason = read_shared(thread.without_record);
  exits.without_detail = read_shared(thread.without_detail);
  for (std::uint32_t reason = 0; reason < TRACE_RETURN_REASONS; ++reason) {
    if (const std::uint64_t count = read_shared(thread.returns[reason]))
      exits.returns.push_back({reason, count});
  }
  return exits;
}

}  // namespace

stats::TimeStats copy(const trace_times& times) noexcept {
  stats::TimeStats copied;
  for (std::size_t i = 0; i < stats::buckets::count; ++i) {
    const std::uint64_t in_bucket = read_shared(times.buckets[i]);
    if (in_bucket != 0) copied.histogram.add_to_bucket(i, in_bucket);
  }
  if (copied.count() == 0) return copied;
  copied.sum = read_shared(times.sum);
  copied.min = read_shared(times.min);
  copied.max = read_shared(times.max);
  return copied;
}

const trace_record* TracedMemory::record_at(std::uint16_t place) const noexcept {
  return place == 0 || place > records_.size() ? nullptr : &records_[place - 1u];
}

std::vector<TracedThread> TracedMemory::snapshot(const UsedRecords& used,
                                                 std::optional<pid_t> process) const {
  std::vector<TracedThread> threads;
  std::vector<std::ptrdiff_t> of_index(std::min<std::size_t>(used.threads, threads_.size()), -1);
  for (std::size_t i = 0; i < of_index.size(); ++i) {
    const trace_thread& thread = threads_[i];
    const auto tgid = static_cast<pid_t>(read_shared(thread.tgid));
    if (tgid == 0 || (process && tgid != *process)) continue;
    of_index[i] = static_cast<std::ptrdiff_t>(threads.size());
    TracedThread& traced = threads.emplace_back();
    traced.process = tgid;
    traced.thread = static_cast<pid_t>(read_shared(thread.tid));
    traced.exits = header_of(thread);
    if (traced.exits.vendor != stats::Vendor::unknown) traced.vcpu = read_shared(thread.vcpu);
    each_record(thread, [&](const trace_record& record) {
      stats::HardwareReasonStats& stats = traced.exits.reasons.emplace_back();
      stats.reason = read_shared(record.reason);
      stats.out_of_guest = copy(record.out);
      stats.outside = copy(record.outside);
      stats.returned = read_shared(record.returned);
      stats.count = read_shared(record.count);
      if (stats.count == 0) traced.exits.reasons.pop_back();
    });
    // After the reasons, so that none of them is ahead of it.
    traced.exits.exits = read_shared(thread.exits);
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(used.details, details_.size()); ++i) {
    const trace_detail& detail = details_[i];
    const std::uint64_t count = read_shared(detail.count);
    const std::uint32_t index = detail.key.thread;
    const auto known = detail_of(detail.key);
    if (count == 0 || !known || index >= of_index.size() || of_index[index] < 0) continue;
    threads[static_cast<std::size_t>(of_index[index])].exits.details.push_back(
        {*known, count, read_shared(detail.timed), read_shared(detail.sum)});
  }
  for (TracedThread& thread : threads) {
    std::sort(thread.exits.reasons.begin(), thread.exits.reasons.end(),
              [](const auto& a, const auto& b) { return a.reason < b.reason; });
    std::sort(thread.exits.details.begin(), thread.exits.details.end(),
              [](const auto& a, const auto& b) { return a.detail < b.detail; });
  }
  return threads;
}

const trace_thread* TracedMemory::find(const UsedRecords& used, pid_t process,
                                       std::uint32_t vcpu) const noexcept {
  for (std::size_t i = 0; i < std::min<std::size_t>(used.threads, threads_.size()); ++i) {
    const trace_thread& thread = threads_[i];
    const bool is = read_shared(thread.isa) != 0 && read_shared(thread.vcpu) == vcpu &&
                    static_cast<pid_t>(read_shared(thread.tgid)) == process;
    if (is) return &thread;
  }
  return nullptr;
}

const trace_record* TracedMemory::find(const trace_thread& thread, std::uint32_t reason) const noexcept {
  constexpr std::uint32_t high_end = TRACE_HIGH_REASONS + TRACE_PLACES - TRACE_LOW_REASONS;
  if (reason < TRACE_LOW_REASONS) return record_at(read_shared(thread.places[reason]));
  if (reason >= TRACE_HIGH_REASONS && reason < high_end)
    return record_at(read_shared(thread.places[reason - TRACE_HIGH_REASONS + TRACE_LOW_REASONS]));
  for (std::size_t i = 0; i < TRACE_OTHER_REASONS; ++i) {
    const trace_record* record = record_at(read_shared(thread.others[i]));
    if (record != nullptr && record->reason == reason) return record;
  }
  return nullptr;
}

}  // namespace kvmbench::trace
